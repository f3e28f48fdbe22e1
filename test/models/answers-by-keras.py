"""Outputs, loss and gradients of networks by Keras, for test/models/keras.test.ts.

Reads a JSON list of cases from standard input and writes a JSON list of answers. A case: topology (tfjs' own
description of the model), weights and inputs (values and shapes), labels. Weights go by layer, in the layer's order.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


class SeededDropout(tf.keras.layers.Dropout):
    """Its rate is 0 in these cases: masks are drawn differently here."""


def array(described):
    return np.array(described["values"], dtype="float32").reshape(described["shape"])


def answer(case):
    tf.keras.backend.clear_session()
    model = tf.keras.models.model_from_json(
        case["topology"], custom_objects={"SeededDropout": SeededDropout}
    )
    for name, weights in case["weights"].items():
        model.get_layer(name).set_weights([array(each) for each in weights])
    inputs = [tf.constant(array(each)) for each in case["inputs"]]
    targets = tf.one_hot(case["labels"], model.output_shape[-1])

    def run():
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
            logs = tf.math.log(tf.clip_by_value(outputs, 1e-7, 1))
            loss = -tf.reduce_mean(tf.reduce_sum(targets * logs, 1))
        return outputs, loss, tape.gradient(loss, model.trainable_variables)

    outputs, loss, gradients = run()
    by_variable = {
        variable.ref(): gradient
        for variable, gradient in zip(model.trainable_variables, gradients)
    }
    return {
        "outputs": outputs.numpy().ravel().tolist(),
        "loss": float(loss),
        "gradients": {
            name: [
                tf.convert_to_tensor(by_variable[variable.ref()]).numpy().ravel().tolist()
                for variable in model.get_layer(name).trainable_variables
            ]
            for name in case["weights"]
        },
    }


print(json.dumps([answer(case) for case in json.load(sys.stdin)]))
