"""What scikit-learn says of the data sets that it brings along: rows, classes and its answers, as one JSON object a data set."""

import json

from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

SETS = {"iris": load_iris, "breast cancer": load_breast_cancer, "digits": load_digits}

for name, load in SETS.items():
    rows, labels = load(return_X_y=True)
    known = [i for i in range(len(labels)) if i % 3 != 0]
    asked = [i for i in range(len(labels)) if i % 3 == 0]
    peers = {
        "tree": DecisionTreeClassifier(
            criterion="entropy", min_samples_leaf=2, random_state=1
        ),
        "extraTrees": ExtraTreesClassifier(n_estimators=100, random_state=1),
        "nearest": KNeighborsClassifier(
            n_neighbors=1, metric="manhattan", algorithm="brute"
        ),
    }
    accuracy = {
        peer: float(model.fit(rows[known], labels[known]).score(rows[asked], labels[asked]))
        for peer, model in peers.items()
    }
    print(
        json.dumps(
            {
                "name": name,
                "classes": int(labels.max()) + 1,
                "known": {
                    "rows": rows[known].tolist(),
                    "labels": labels[known].tolist(),
                },
                "asked": {
                    "rows": rows[asked].tolist(),
                    "labels": labels[asked].tolist(),
                },
                "accuracy": accuracy,
            }
        )
    )
