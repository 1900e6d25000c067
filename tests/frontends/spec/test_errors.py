"""Every bad spec is one clear error: the place, what is wrong, and the nearest valid name."""

import numpy as np
import pytest

from isograd.frontends.spec import from_spec, read_spec
from isograd.ir.errors import SpecError, TypeMismatchError

VECTOR = "input: {x: float32[N, 8]}\n"
IMAGE = "input: {x: float32[N, 8, 8, 3]}\n"
TWO = "input: {a: float32[N, 8], b: float32[N, 8]}\n"
MANY = "with its blocks unfolded a spec may have 10,000 layers, and this one has more"
BLOCK = VECTOR + "blocks:\n  b:\n    arguments: {units: 4, more: null}\n    layers:\n      - dense: $units\n"

LAYERS = {
    VECTOR + "layers:\n  - dnese: 4\n": "spec:3: unknown layer 'dnese'; did you mean 'dense'?",
    VECTOR + "layers:\n  - Conv2d: 4\n": "spec:3: unknown layer 'Conv2d'; did you mean 'conv2d'?",
    VECTOR + "layers:\n  - transmogrify\n": "spec:3: unknown layer 'transmogrify'",
    VECTOR + "layers:\n  - dense: {unit: 4}\n": "spec:3: dense has no option 'unit'; did you mean 'units'?",
    VECTOR + "layers:\n  - dense:\n      units: 4\n      activaton: relu\n": (
        "spec:5: dense has no option 'activaton'; did you mean 'activation'?"
    ),
    VECTOR + "layers:\n  - dense:\n    units: 4\n": (
        "spec:4: 'units' cannot stand beside 'dense'; the options of a layer stand below it: `dense: {units: ...}`"
    ),
    VECTOR + "layers:\n  - dense: 4\n    off: x\n": "spec:4: 'off' cannot stand beside 'dense'; did you mean 'of'?",
    VECTOR + "layers:\n  - {name: x}\n": "spec:3: here is no layer, but 'name' alone",
    VECTOR + "layers:\n  - {}\n": "spec:3: here is no layer, but nothing alone",
    VECTOR + "layers:\n  - [dense, relu]\n": (
        "spec:3: a layer is its name, or its name with options, not [\"dense\", \"relu\"]"
    ),
    VECTOR + "layers:\n  - dense: {}\n": "spec:3: dense needs the option 'units'",
    VECTOR + "layers:\n  - dense\n": "spec:3: dense needs the option 'units'",
    VECTOR + "layers:\n  - dense: many\n": "spec:3: units of dense must be a positive whole number, not 'many'",
    VECTOR + "layers:\n  - dense: 4.0\n": "spec:3: units of dense must be a positive whole number, not 4.0",
    VECTOR + "layers:\n  - dense: 0\n": "spec:3: units of dense must be a positive whole number, not 0",
    VECTOR + "layers:\n  - batch_normalization: 3\n": (
        "spec:3: batch_normalization takes options by name (name, epsilon, center, scale, beta_initializer, "
        "gamma_initializer, beta_regularizer, gamma_regularizer, axis, momentum, moving_mean_initializer, "
        "moving_variance_initializer), not 3 alone"
    ),
    VECTOR + "layers:\n  - dropout: 1.5\n": "spec:3: rate of dropout must be a number from 0 to 1, not 1.5",
    VECTOR + "layers:\n  - dense: {units: 4, use_bias: no}\n": (
        "spec:3: use_bias of dense must be true or false, not 'no'"
    ),
    IMAGE + "layers:\n  - conv2d: {filters: 4, kernel_size: [3, x]}\n": (
        "spec:3: kernel_size of conv2d must be a positive whole number or a list of 2, not [3, \"x\"]"
    ),
    IMAGE + "layers:\n  - conv2d: {filters: 4, kernel_size: 3, padding: causal}\n": (
        "spec:3: padding of conv2d must be 'valid' or 'same', not 'causal'"
    ),
    IMAGE + "layers:\n  - zero_padding2d: [1, 2, 3]\n": (
        "spec:3: the padding of zero_padding2d must be a number, or a list of 2 numbers or pairs, not [1, 2, 3]"
    ),
    VECTOR + "layers:\n  - dense:\n      units: 4\n      activation: rleu\n": (
        "spec:5: unknown activation 'rleu'; did you mean 'relu'?"
    ),
    VECTOR + "layers:\n  - dense:\n      units: 4\n      kernel_initializer:\n        random_normal: {std: 1}\n": (
        "spec:6: random_normal has no option 'std'; did you mean 'stddev'?"
    ),
    VECTOR + "layers:\n  - dense: {units: 4, bias_initializer: 0}\n": (
        "spec:3: the initializer must be a name, or a name with options such as `constant: {value: ...}`, not 0"
    ),
    VECTOR + "layers:\n  - dense: {units: 4, bias_initializer: orthogonal}\n": (
        "spec:3: dense.bias: orthogonal needs at least two axes, not the shape [4]"
    ),
    VECTOR + "layers:\n  - dense: {units: 4, kernel_regularizer: {l3: 1}}\n": (
        "spec:3: regularizer has no factor 'l3'; there are l1, l2"
    ),
    VECTOR + "layers:\n  - dense: {units: 4, kernel_regularizer: l2}\n": (
        "spec:3: dense: a regularizer is added to the loss, and the spec has no section 'loss'"
    ),
    VECTOR + "layers:\n  - relu:\n    repeat: 0\n": "spec:4: repeat must be a positive whole number, not 0",
    VECTOR + "layers:\n  - relu:\n    of: 3\n": "spec:4: `of` names a tensor, or a list of them, not 3",
    VECTOR + "layers:\n  - dense: {units: 4, name: a b}\n": (
        "spec:3: 'a b' is not a name: letters, digits and _, no digit first, and no word of Python"
    ),
    VECTOR + "layers:\n  - dense: {units: 4, name: d}\n    name: e\n": (
        "spec:3: 'name' stands beside dense and among its options"
    ),
    VECTOR + "layers:\n  - sequential: 3\n": "spec:3: sequential takes a list of layers, not 3",
    VECTOR + "layers:\n  - sequential:\n      - relu\n      - dnese: 3\n": (
        "spec:5: unknown layer 'dnese'; did you mean 'dense'?"
    ),
}  # fmt: skip

SHAPES = {
    VECTOR + "layers:\n  - dense: 4\n  - conv2d: {filters: 3, kernel_size: 3}\n": (
        "spec:4: conv2d: takes a tensor [N, H, W, C], not f32[N, 4]"
    ),
    IMAGE + "layers:\n  - conv2d: {filters: 3, kernel_size: 9, name: wide}\n": (
        "spec:3: conv2d 'wide': a window of 9 does not fit into an axis of 8; `padding: same` pads it"
    ),
    IMAGE + "layers:\n  - conv2d: {filters: 3, kernel_size: 3, groups: 2}\n": (
        "spec:3: conv2d: 3 channels and 3 filters cannot both be split evenly into 2 groups"
    ),
    IMAGE + "layers:\n  - max_pooling2d: 9\n": (
        "spec:3: max_pooling2d: a window of 9 does not fit into an axis of 8; `padding: same` pads it"
    ),
    VECTOR + "layers:\n  - max_pooling2d: 2\n": "spec:3: max_pooling2d: takes a tensor [N, H, W, C], not f32[N, 8]",
    VECTOR + "layers:\n  - reshape: [3, -1]\n": (
        "spec:3: reshape: the 8 elements of each example of f32[N, 8] do not make the shape [3, -1]"
    ),
    VECTOR + "layers:\n  - permute: [2, 1]\n": "spec:3: permute: permute of f32[N, 8] needs each of its axes 1 to 1 once, not [2, 1]",
    VECTOR + "layers:\n  - softmax: 5\n": "spec:3: softmax: there is no axis 5 in a tensor of rank 2 (in softmax(<x: f32[N, 8]>, axis=5))",
    "input: {x: 'int32[N, 4]'}\nlayers:\n  - dense: 3\n": (
        "spec:3: dense: takes floating-point numbers, not i32[N, 4]; rescaling, or cast in a formula, makes them"
    ),
    "input: {x: 'float32[N, M]'}\nlayers:\n  - dense: 3\n": (
        "spec:3: dense: its parameters depend on axis 1 of f32[N, M], whose size must be a number"
    ),
    "input: {x: 'float32[8]'}\nlayers:\n  - dense: 3\n": "spec:3: dense: takes a tensor of at least 2 axes, not f32[8]",
    "input: {x: 'float32[N, H, W, 3]'}\nlayers:\n  - conv2d: {filters: 2, kernel_size: 2, strides: 3, padding: same}\n": (
        "spec:3: conv2d: padding 'same' of an axis of size H depends on it, as the stride 3 exceeds the window 2"
    ),
    VECTOR + "layers:\n  - embedding: {input_dim: 3, output_dim: 2}\n": "spec:3: embedding: take: indices are integers, not f32[N, 8]",
    VECTOR + "parameters:\n  w: {shape: [9, 2]}\ntensors:\n  y: x @ w\n": (
        "spec:5: formula 'y': matmul of f32[N, 8] and f32[9, 2]: "
        "the last axis of the first must be as long as the last but one of the second"
    ),
    VECTOR + "parameters:\n  w: {shape: [9]}\ntensors:\n  y: x + w\n": (
        "spec:5: formula 'y': the sizes do not fit: 8 == 9 is false (in add(<x: f32[N, 8]>, <w: f32[9]>))"
    ),
    VECTOR + "tensors:\n  y: softmax(x, axis=2)\n": (
        "spec:3: formula 'y': there is no axis 2 in a tensor of rank 2 (in softmax(<x: f32[N, 8]>, axis=2))"
    ),
    TWO + "layers:\n  - concatenate: {axis: 1, of: [a, b]}\n  - concatenate: {axis: 0, of: [a, concatenate]}\n": (
        "spec:4: concatenate 'concatenate_1': "
        "concatenate along axis 0 needs equal sizes along the others, not f32[N, 8] and f32[N, 16]"
    ),
}  # fmt: skip

NAMES = {
    "layers: [relu]\n": "spec: a spec needs the section 'input', such as `input: {x: float32[N, 8]}`",
    VECTOR: "spec: a spec needs the section 'layers' or the section 'tensors'",
    VECTOR + "layer: [relu]\n": "spec:2: a spec has no section 'layer'; did you mean 'layers'?",
    VECTOR + "inputs: {y: float32[N]}\nlayers: [relu]\n": "spec:2: 'input' and 'inputs' mean the same: give one of them",
    VECTOR + "layers: relu\n": "spec:2: the layers are a list of them, not 'relu'",
    VECTOR + "layers:\n  - relu\n  - add\n": "spec:4: add takes at least 2 tensors: say which with `of: [x, y]`",
    VECTOR + "layers:\n  - subtract: {of: [x, x, x]}\n": "spec:3: subtract takes 2 tensors, but `of` names 3",
    TWO + "layers:\n  - dense: 3\n": "spec:3: dense takes one tensor: say which with `of: x`",
    TWO + "layers:\n  - dense: 3\n    of: [a, b]\n": "spec:3: dense takes one tensor, but `of` names 2",
    TWO + "layers:\n  - dense: 3\n    of: a\n": "spec:1: nothing uses the input 'b'",
    VECTOR + "tensors:\n  h: {dense: 3}\n": "spec:3: dense takes one tensor: say which with `of: x`",
    VECTOR + "tensors:\n  h: {dense: 3, of: z}\n": "spec:3: unknown tensor 'z'; there are h, x",
    VECTOR + "tensors:\n  hidden: relu(x)\n  y: tanh(hiden)\n": "spec:4: unknown tensor 'hiden'; did you mean 'hidden'?",
    VECTOR + "tensors:\n  y: flatten\n": "spec:3: unknown tensor 'flatten'; the layer of this name is applied by `{flatten: , of: x}`",
    VECTOR + "tensors:\n  a: relu(b)\n  b: tanh(c)\n  c: x + a\n  d: a + b\n": "spec:3: these tensors need each other: a -> b -> c -> a",
    VECTOR + "tensors:\n  a: relu(a) + x\n": "spec:3: these tensors need each other: a -> a",
    VECTOR + "tensors:\n  y: rleu(x)\n": "spec:3: unknown function 'rleu'; did you mean 'relu'?",
    VECTOR + "tensors:\n  y: x.shape\n": (
        "spec:3: `x.shape` cannot stand in a formula: "
        "a formula has names, numbers, + - * / ** @, comparisons, and calls of functions"
    ),
    VECTOR + "tensors:\n  y: {dense: 3, of: x, name: z}\n": "spec:3: the name of this tensor is its key, 'y'",
    VECTOR + "tensors:\n  y: relu(x)\n  z: tanh(x)\n": (
        "spec:2: 2 tensors are used by no other: y, z; say with `output` which are meant"
    ),
    VECTOR + "tensors:\n  y: relu(x)\n  z: tanh(x)\noutput: y\n": "spec:4: nothing uses 'z', and it is no output",
    VECTOR + "layers:\n  - dense: 3\n  - dense: {units: 3, of: x}\n": "spec:3: nothing uses 'dense', and it is no output",
    VECTOR + "layers:\n  - {dense: 3, name: x}\n": "spec:3: the name 'x' is taken: spec:1",
    VECTOR + "layers:\n  - {dense: 3, name: d}\n  - {dense: 3, name: d}\n": "spec:4: the name 'd' is taken: spec:3",
    VECTOR + "layers:\n  - dense: 3\noutput: dnse\n": "spec:4: unknown tensor 'dnse' among the outputs; did you mean 'dense'?",
    VECTOR + "layers:\n  - dense: 3\noutputs: [dense, dense]\n": "spec:4: 'dense' stands there twice",
    VECTOR + "parameters:\n  w: {shape: [3]}\nlayers:\n  - relu\n": "spec:3: nothing uses the parameter 'w'",
    VECTOR + "parameters:\n  w: {shape: [3], value: 1}\nlayers: [relu]\n": (
        "spec:3: a parameter has a shape, or a value whose shape it takes, and not both"
    ),
    VECTOR + "parameters:\n  w: {initializer: ones}\nlayers: [relu]\n": (
        "spec:3: a parameter has a shape, or a value whose shape it takes, and not both"
    ),
    VECTOR + "parameters:\n  w: {value: [[1, 2], [3]]}\ntensors:\n  y: x + w\n": "spec:3: the rows of a value must have one length",
    VECTOR + "parameters:\n  w: {value: [1, a]}\ntensors:\n  y: x + w\n": (
        "spec:3: a value is a finite number or nested lists of them, not [1, \"a\"]"
    ),
    VECTOR + "parameters:\n  w: {value: [.inf]}\ntensors:\n  y: x + w\n": (
        "spec:3: a value is a finite number or nested lists of them, not [Infinity]"
    ),
    VECTOR + "parameters:\n  lambda: {shape: [3]}\nlayers: [relu]\n": (
        "spec:3: 'lambda' is not a name: letters, digits and _, no digit first, and no word of Python"
    ),
    "input: {x: float33[N]}\nlayers: [relu]\n": "spec:1: unknown element type 'float33'; did you mean 'float32'?",
    "input: {x: float32}\nlayers: [relu]\n": "spec:1: a type is written like float32[N, 8, 8], not 'float32'",
    "input: {x: 'float32[N, 2*M]'}\nlayers: [relu]\n": "spec:1: the size '2*M' in 'float32[N, 2*M]' must be a whole number or a name",
    "input: {x: 'float32[N, -1]'}\nlayers: [relu]\n": "spec:1: the size '-1' in 'float32[N, -1]' must be a whole number or a name",
    "input: {}\nlayers: [relu]\n": "spec:1: a model has at least one input",
    "seed: -1\n" + VECTOR + "layers: [relu]\n": "spec:1: seed of a spec must be a whole number of at least 0, not -1",
}  # fmt: skip

BLOCKS = {
    BLOCK + "layers:\n  - b: 3\n": "spec:8: the block 'b' needs the argument 'more'",
    BLOCK + "layers:\n  - b: {unit: 3}\n": "spec:8: the block 'b' has no argument 'unit'; did you mean 'units'?",
    BLOCK + "layers:\n  - b: {units: 0, more: 1}\n": (
        "spec:6: units of dense must be a positive whole number, not 0 (in the block 'b', used at spec:8)"
    ),
    BLOCK + "layers:\n  - b: {units: 4000000000, more: 1}\n": (
        "spec:6: dense: the parameter b.dense.kernel of 32,000,000,000 elements exceeds the 2,147,483,648 that are allowed "
        "(in the block 'b', used at spec:8)"
    ),
    VECTOR + "blocks:\n  a: {layers: [dense: $n]}\nlayers: [a]\n": (
        "spec:3: unknown argument '$n'; a block declares its arguments under `arguments` (in the block 'a', used at spec:4)"
    ),
    VECTOR + "blocks:\n  a: {arguments: {units: 1}, layers: [dense: $unit]}\nlayers: [a]\n": (
        "spec:3: unknown argument '$unit'; did you mean 'units'? (in the block 'a', used at spec:4)"
    ),
    VECTOR + "layers:\n  - dense: $n\n": "spec:3: unknown argument '$n'; a block declares its arguments under `arguments`",
    VECTOR + "blocks:\n  a: {layers: [b]}\n  b: {layers: [a]}\nlayers: [a]\n": (
        "spec:4: the block 'a' uses itself: a -> b -> a "
        "(in the block 'b', used at spec:3) (in the block 'a', used at spec:5)"
    ),
    VECTOR + "blocks:\n  a: {layers: [relu]}\nlayers: [{a: 3}]\n": "spec:4: the block 'a' takes no arguments, not 3",
    VECTOR + "blocks:\n  a: {layer: [relu]}\nlayers: [a]\n": "spec:3: block has no option 'layer'; did you mean 'layers'?",
    VECTOR + "blocks:\n  a: {}\nlayers: [a]\n": (
        "spec:3: a block needs 'layers' or 'tensors' (in the block 'a', used at spec:4)"
    ),
    VECTOR + "blocks:\n  dense: {layers: [relu]}\nlayers: [dense]\n": "spec:3: a block cannot be called 'dense': a layer is",
    VECTOR + "blocks:\n  a: {input: [p, q], tensors: {y: p + q}}\nlayers:\n  - a\n": "spec:5: a takes 2 tensors: say which with `of: [x, y]`",
    VECTOR + "blocks:\n  a: {input: [p, q], tensors: {y: p + q}}\nlayers:\n  - a: {of: [x, x], repeat: 2}\n": (
        "spec:5: what is repeated takes one tensor, but a takes 2"
    ),
    VECTOR + "blocks:\n  a: {arguments: {f: [1]}, tensors: {y: x * $f + 1}}\nlayers:\n  - a\n": (
        "spec:3: the argument '$f' is [1], which cannot stand within a text (in the block 'a', used at spec:5)"
    ),
}  # fmt: skip

SIZES = {
    VECTOR + "layers:\n  - dense: 1000000000000\n": (
        "spec:3: dense: the parameter dense.kernel of 8,000,000,000,000 elements exceeds the 2,147,483,648 that are allowed"
    ),
    VECTOR + "layers:\n  - dense: 200000000\n  - dense: 8\n": (
        "spec:4: dense 'dense_1': the parameter dense_1.kernel of 1,600,000,000 elements, 3,400,000,000 with those before it "
        "exceeds the 2,147,483,648 that are allowed"
    ),
    VECTOR + "parameters:\n  w: {shape: [1000000, 1000000]}\ntensors:\n  y: x + w\n": (
        "spec:3: parameter 'w': the parameter w of 1,000,000,000,000 elements exceeds the 2,147,483,648 that are allowed"
    ),
    "input:\n  x: float32[1000000000000]\nlayers:\n  - relu\n": (
        "spec:2: input 'x': a tensor of 1,000,000,000,000 elements (f32[1000000000000]) "
        "exceeds the 2,147,483,648 that are allowed"
    ),
    VECTOR + "tensors:\n  y: broadcast_to(x, shape=[1000000000000, N, 8])\n": (
        "spec:3: formula 'y': a tensor of 8,000,000,000,000 elements (f32[1000000000000, N, 8]) "
        "exceeds the 2,147,483,648 that are allowed"
    ),
    VECTOR + "layers:\n  - repeat_vector: 1000000000000\n": (
        "spec:3: repeat_vector: a tensor of 8,000,000,000,000 elements (f32[N, 1000000000000, 8]) "
        "exceeds the 2,147,483,648 that are allowed"
    ),
    VECTOR + "layers:\n  - relu:\n    repeat: 1000000000\n": f"spec:3: {MANY}",
    VECTOR + "blocks:\n  c: {layers: [{relu: , repeat: 100}]}\n  b: {layers: [{c: , repeat: 100}]}\nlayers:\n  - b:\n    repeat: 100\n": (
        f"spec:4: {MANY} (in the block 'b', used at spec:6)"
    ),
}  # fmt: skip

RECIPES = {
    VECTOR + "layers: [dense: 2]\nloss: msee\noptimizer: sgd\n": "spec:3: unknown loss 'msee'; did you mean 'mse'?",
    VECTOR + "layers: [dense: 2]\nloss: {mse: {from_logits: true}}\noptimizer: sgd\n": (
        "spec:3: mse has no option 'from_logits'; it has none"
    ),
    VECTOR + "layers: [dense: 2]\nloss: {binary_crossentropy: {from_logit: true}}\noptimizer: sgd\n": (
        "spec:3: binary_crossentropy has no option 'from_logit'; did you mean 'from_logits'?"
    ),
    VECTOR + "layers: [dense: 2]\nloss: {binary_crosentropy: {from_logits: true}}\noptimizer: sgd\n": (
        "spec:3: unknown loss 'binary_crosentropy'; did you mean 'binary_crossentropy'?"
    ),
    VECTOR + "layers: [dense: 2]\nloss: {dnse: mse}\noptimizer: sgd\n": (
        "spec:3: unknown output 'dnse' of the model; did you mean 'dense'?"
    ),
    VECTOR + "layers: [dense: 2]\nloss: [mse]\noptimizer: sgd\n": (
        "spec:3: the loss must be a name, or a name with options, not [\"mse\"]"
    ),
    VECTOR + "layers: [dense: 2]\nloss: mse\n": "spec:3: a loss needs the section 'optimizer', such as `optimizer: sgd`",
    VECTOR + "layers: [dense: 2]\nmetrics: [accuracy]\n": "spec:3: 'metrics' says how to train, and needs the section 'loss'",
    VECTOR + "layers: [dense: 2]\nloss: mse\noptimizer: adamw\n": "spec:4: unknown optimizer 'adamw'; did you mean 'adam'?",
    VECTOR + "layers: [dense: 2]\nloss: mse\noptimizer:\n  sgd:\n    learning_rat: 1\n": (
        "spec:6: sgd has no option 'learning_rat'; did you mean 'learning_rate'?"
    ),
    VECTOR + "layers: [dense: 2]\nloss: mse\noptimizer: {sgd: {learning_rate: 0}}\n": (
        "spec:4: learning_rate of sgd must be a positive number, not 0"
    ),
    VECTOR + "layers: [dense: 2]\nloss: mse\noptimizer: {sgd: {momentum: 1}}\n": (
        "spec:4: momentum of sgd must be a number of at least 0 and below 1, not 1"
    ),
    VECTOR + "layers: [dense: 2]\nloss: mse\noptimizer: {sgd: {nesterov: 1}}\n": (
        "spec:4: nesterov of sgd must be true or false, not 1"
    ),
    VECTOR + "layers: [dense: 2]\nloss: mse\noptimizer: {sgd: 0.1}\n": (
        "spec:4: sgd takes its options by name, not 0.1 alone"
    ),
    VECTOR + "layers: [dense: 2]\nloss: mse\noptimizer: {adam: {convention: jax}}\n": (
        "spec:4: convention of adam must be 'keras' or 'torch' or 'optax', not 'jax'"
    ),
    VECTOR + "layers: [dense: 2]\nloss: mse\noptimizer: sgd\nmetrics: [acuracy]\n": (
        "spec:5: unknown metric 'acuracy'; did you mean 'accuracy'?"
    ),
    VECTOR + "layers: [dense: 2]\nloss: mse\noptimizer: sgd\nmetrics: [mse, mean_squared_error]\n": (
        "spec:5: the metric 'mean_squared_error' stands there twice"
    ),
    VECTOR + "layers: [dense: 2]\nloss: mse\noptimizer: sgd\nloss_weights: {a: 1}\n": (
        "spec:5: unknown output 'a' of the model; there is only dense"
    ),
    TWO + "tensors: {p: relu(a), q: relu(b)}\noutput: [p, q]\nloss: mse\noptimizer: sgd\n": (
        "spec:4: the model has the outputs p, q: give a loss for each by its name"
    ),
    VECTOR + "layers: [relu]\ndata: digit\n": "spec:3: no data set is named 'digit'; did you mean 'digits'?",
    VECTOR + "layers: [relu]\ndata: {path: a}\n": "spec:3: data needs the option 'name'",
    VECTOR + "layers: [relu]\ntrain: {step: 3}\n": "spec:3: train has no option 'step'; did you mean 'steps'?",
    VECTOR + "layers: [relu]\ntrain: {steps: 3, epochs: 2}\n": "spec:3: train takes epochs or steps, not both",
    VECTOR + "layers: [relu]\ntrain: 3\n": (
        "spec:3: train takes options by name (epochs, steps, batch_size, shuffle, seed), not 3 alone"
    ),
}  # fmt: skip

ALL = LAYERS | SHAPES | NAMES | BLOCKS | SIZES | RECIPES


@pytest.mark.parametrize("text", ALL, ids=lambda text: text.partition("\n")[2][:50].replace("\n", " "))
def test_a_bad_spec(text, error):
    assert error(text) == ALL[text]


def test_blocks_that_would_explode(error):
    pairs = "".join(f"  b{i}: {{layers: [b{i + 1}, b{i + 1}]}}\n" for i in range(40))
    message = error(VECTOR + "blocks:\n" + pairs + "  b40: {layers: [relu]}\nlayers: [b0]\n")
    assert message == f"spec:42: {MANY} (in the block 'b39', used at spec:41) (in the block 'b38', used at spec:40)"


def test_the_file_is_named(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text(VECTOR + "layers:\n  - dnese: 4\n")
    with pytest.raises(SpecError) as caught:
        from_spec(path)
    assert str(caught.value) == f"{path}:3: unknown layer 'dnese'; did you mean 'dense'?"


def test_a_dict_names_the_keys(error):
    head = {"input": "float32[N, 4]"}
    assert error(head | {"layers": ["relu", {"dense": {"unit": 3}}]}) == (
        "spec: layers[1].dense.unit: dense has no option 'unit'; did you mean 'units'?"
    )
    assert error(head | {"layers": ["relu", {"conv2d": {"filters": 3, "kernel_size": 1}}]}) == (
        "spec: layers[1].conv2d: conv2d: takes a tensor [N, H, W, C], not f32[N, 4]"
    )
    assert error({"layers": ["relu"]}) == "spec: a spec needs the section 'input', such as `input: {x: float32[N, 8]}`"


def test_the_cause_is_kept():
    with pytest.raises(SpecError) as caught:
        from_spec(VECTOR + "parameters:\n  w: {shape: [9, 2]}\ntensors:\n  y: x @ w\n")
    assert isinstance(caught.value.__cause__, TypeMismatchError)
    assert caught.value.__cause__.__notes__ == ["in matmul(<x: f32[N, 8]>, <w: f32[9, 2]>)", "at spec:5 (formula)"]


def test_reading_alone_finds_what_needs_no_sizes():
    with pytest.raises(SpecError, match=r"^spec:3: unknown layer 'dnese'; did you mean 'dense'\?$"):
        read_spec(VECTOR + "layers:\n  - dnese: 4\n")
    assert read_spec(VECTOR + "layers:\n  - conv2d: {filters: 3, kernel_size: 3}\n").name == "model"


def test_the_budget_can_be_set():
    spec = {"input": "float32[N, 4]", "layers": [{"dense": 3}]}
    assert from_spec(spec, budget=15).parameters["dense.kernel"].size == 12
    with pytest.raises(SpecError, match="exceeds the 14 that are allowed"):
        from_spec(spec, budget=14)


def test_no_spec_is_a_crash(error):
    """Whatever stands in the place of a part, the answer is a SpecError."""
    good = {
        "name": "m", "seed": 1, "input": {"x": "float32[N, 4]"}, "parameters": {"w": {"shape": [4, 2], "initializer": "ones"}},
        "blocks": {"b": {"arguments": {"n": 2}, "layers": [{"dense": "$n"}]}},
        "layers": [{"dense": {"units": 4, "activation": "relu"}}, {"b": {"n": 3}}, {"add": {"of": ["b", "b"]}}],
        "tensors": {"y": "x @ w"}, "output": ["add", "y"], "loss": {"add": "mse", "y": {"mse": None}}, "loss_weights": {"y": 2.0},
        "optimizer": {"sgd": {"learning_rate": 0.1}}, "metrics": ["accuracy"], "data": {"name": "digits"}, "train": {"steps": 3},
    }  # fmt: skip
    from_spec(good)
    wrong = [None, True, -1, 2.5, float("nan"), "", "no such name", "x", [], [[]], {}, {"": 0}, {"x": {"x": []}}, np.zeros(2), 10**30]
    for place in places(good):
        for value in wrong:
            spec = replaced(good, place, value)
            try:
                from_spec(spec)
            except SpecError as problem:
                assert str(problem).startswith("spec: "), (place, value)


def places(part, here=()):
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, item in items:
        yield (*here, key)
        yield from places(item, (*here, key))


def replaced(part, place, value):
    if not place:
        return value
    copy = dict(part) if isinstance(part, dict) else list(part)
    copy[place[0]] = replaced(part[place[0]], place[1:], value)
    return copy
