"""The memory that TensorFlow Lite Micro needs for the zoo's networks for devices, in f32 as ours: sizes of the model's file and of the arena.

    pip install tensorflow-cpu==2.21.0 tflite-micro
    python benches/peers/tflm.py

The arena's head holds activations, input and output among them; its tail what the interpreter keeps, whose pointers are twice as long on this machine
as on a device of 32 bits. Weights are random: they do not matter here.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import re
import subprocess
import sys

import numpy
import tensorflow
from tensorflow import keras
from tflite_micro.python.tflite_micro import runtime

layers = keras.layers


def conv(x, filters, kernel, strides=1, relu=True):
    x = layers.BatchNormalization()(layers.Conv2D(filters, kernel, strides, padding="same")(x))
    return layers.ReLU()(x) if relu else x


def depthwise(x, strides=1):
    return layers.ReLU()(layers.BatchNormalization()(layers.DepthwiseConv2D(3, strides, padding="same")(x)))


def flat(x):
    """Without the operations that find out the shape when running."""
    return layers.Reshape((x.shape[1] * x.shape[2] * x.shape[3],))(x)


def lenet5(x):
    x = layers.MaxPooling2D()(layers.Conv2D(6, 5, padding="same", activation="relu")(x))
    x = layers.MaxPooling2D()(layers.Conv2D(16, 5, activation="relu")(x))
    x = layers.Dense(120, activation="relu")(flat(x))
    return layers.Dense(10)(layers.Dense(84, activation="relu")(x))


def res_net8(x):
    x = conv(x, 16, 3)
    for filters in (16, 32, 64):
        strides = 1 if filters == 16 else 2
        y = conv(conv(x, filters, 3, strides), filters, 3, relu=False)
        skip = x if filters == 16 else layers.Conv2D(filters, 1, strides)(x)
        x = layers.ReLU()(layers.Add()([y, skip]))
    return layers.Dense(10)(flat(layers.AveragePooling2D(8)(x)))


def ds_cnn(x):
    x = conv(x, 64, (10, 4), 2)
    for _ in range(4):
        x = conv(depthwise(x), 64, 1)
    return layers.Dense(12)(flat(layers.AveragePooling2D((25, 5))(x)))


def person_detection(x):
    x = conv(x, 8, 3, 2)
    blocks = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)] + 5 * [(128, 1)] + [(256, 2), (256, 1)]
    for filters, strides in blocks:
        x = conv(depthwise(x, strides), filters, 1)
    return layers.Dense(2)(flat(layers.AveragePooling2D(3)(x)))


def auto_encoder(x):
    for units in 4 * [128] + [8] + 4 * [128]:
        x = layers.ReLU()(layers.BatchNormalization()(layers.Dense(units)(x)))
    return layers.Dense(640)(x)


NETWORKS = {
    "LeNet5": (lenet5, (28, 28, 1)),
    "ResNet8": (res_net8, (32, 32, 3)),
    "DsCnn": (ds_cnn, (49, 10, 1)),
    "PersonDetection": (person_detection, (96, 96, 3)),
    "AutoEncoder": (auto_encoder, (640,)),
}


def measure(name):
    """Prints the file's size; the interpreter prints the arena's parts."""
    make, shape = NETWORKS[name]
    x = keras.Input(shape, batch_size=1)
    file = tensorflow.lite.TFLiteConverter.from_keras_model(keras.Model(x, make(x))).convert()
    interpreter = runtime.Interpreter.from_bytes(file, arena_size=1 << 24)
    interpreter.set_input(numpy.zeros((1, *shape), numpy.float32), 0)
    interpreter.invoke()
    print(f"file {len(file)} bytes", flush=True)
    interpreter.print_allocations()


def main():
    if len(sys.argv) > 1:
        return measure(sys.argv[1])
    print(f"{'network':<18}{'file':>10}{'arena':>10}{'activations':>13}{'the rest':>10}")
    for name in NETWORKS:
        # The interpreter writes past Python's own output.
        run = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=True)
        words = ("file", "Arena allocation total", "Arena allocation head", "Arena allocation tail")
        found = [re.search(rf"{word} (\d+) bytes", run.stdout + run.stderr)[1] for word in words]
        print("{:<18}{:>10}{:>10}{:>13}{:>10}".format(name, *found), flush=True)


if __name__ == "__main__":
    main()
