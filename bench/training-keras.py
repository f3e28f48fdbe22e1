"""Keras' side of the training bench: the same network, read from tfjs' own description, trained in graph mode.

`training-keras.py TOPOLOGY.json`; says "ready", then for each line "N" the seconds that a step took by
the clock and of processors.
"""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

FLOWS = 64
WARM_UP_STEPS = 3


class SeededDropout(tf.keras.layers.Dropout):
    """Ours draws masks that can be repeated; Keras draws its own."""


with open(sys.argv[1], encoding="utf-8") as file:
    topology = file.read()
model = tf.keras.models.model_from_json(
    topology, custom_objects={"SeededDropout": SeededDropout}
)
optimizer = tf.keras.optimizers.Adam(0.001)
generator = np.random.default_rng(1)
inputs = [
    tf.constant(generator.uniform(-1, 1, [FLOWS, *each.shape[1:]]).astype("float32"))
    for each in model.inputs
]
classes = model.output_shape[-1]
targets = tf.one_hot(np.arange(FLOWS) % classes, classes)


@tf.function
def step():
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = tf.reduce_mean(
            tf.keras.losses.categorical_crossentropy(targets, outputs)
        )
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


for _ in range(WARM_UP_STEPS):
    step().numpy()
print("ready", flush=True)
for line in sys.stdin:
    count = int(line)
    start, used = time.perf_counter(), time.process_time()
    for _ in range(count):
        step().numpy()
    seconds, processors = time.perf_counter() - start, time.process_time() - used
    print(seconds / count, processors / count, flush=True)
