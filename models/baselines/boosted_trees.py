"""LightGBM, untuned but for what is written here, on matrices that boosted-trees.ts left in a folder.

usage: boosted_trees.py FOLDER COLUMNS CLASSES SEED
"""

import sys

import lightgbm
import numpy

folder, columns, classes, seed = sys.argv[1], *map(int, sys.argv[2:5])
train = numpy.fromfile(f"{folder}/train.f32", dtype="float32").reshape(-1, columns)
test = numpy.fromfile(f"{folder}/test.f32", dtype="float32").reshape(-1, columns)
labels = numpy.fromfile(f"{folder}/labels.i32", dtype="int32")

# Rounds for few and for many classes: a round grows a tree a class.
model = lightgbm.LGBMClassifier(
    n_estimators=300 if classes < 20 else 100,
    learning_rate=0.1,
    num_leaves=63 if len(labels) > 5000 else 15,
    min_child_samples=20 if len(labels) > 5000 else 5,
    subsample=0.8,
    subsample_freq=1,
    colsample_bytree=0.5,
    random_state=seed,
    deterministic=True,
    force_row_wise=True,
    n_jobs=1,
    verbose=-1,
)
model.fit(train, labels)
answers = numpy.zeros((len(test), classes), dtype="float32")
answers[:, model.classes_] = model.predict_proba(test)
answers.tofile(f"{folder}/probabilities.f32")
