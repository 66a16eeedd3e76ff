#!/usr/bin/env python3
"""Writes pointwise_reference.inc: what each function of kernel/shared/pointwise.def should give, from the definitions in
the literature, computed with 60 digits. Derivatives are differences of these definitions, so nothing here is taken
from the table that it is compared with. Needs mpmath:  pointwise_reference.py > pointwise_reference.inc
"""
import mpmath as m
from mpmath import mpf

m.mp.dps = 60
INF, NAN = m.inf, m.nan
USUAL = [mpf(x) for x in ("-3.5", "-1.25", "-0.375", "-0.0078125", "0.03125", "0.5", "1.75", "6.5")]
POSITIVE = [mpf(x) for x in ("0.015625", "0.375", "1", "2.5", "40")]


def sigmoid(x):
    return 1 / (1 + m.exp(-x))


# name: definition of (x, p0, p1); p0; p1; points; [(special point, value, derivative or None: not asked)]
UNARY = {
    "relu": (lambda x, p, q: max(x, mpf(0)), 0, 0, USUAL, [(0, 0, 0), (INF, INF, 1), (-INF, 0, 0)]),
    "leaky_relu": (lambda x, p, q: x if x > 0 else p * x, 0.25, 0, USUAL, [(0, 0, 0.25), (INF, INF, 1), (-INF, -INF, 0.25)]),
    "gelu": (lambda x, p, q: x / 2 * (1 + m.tanh(m.sqrt(2 / m.pi) * (x + mpf("0.044715") * x**3))), 0, 0, USUAL,
             [(0, 0, 0.5), (INF, INF, None)]),
    "silu": (lambda x, p, q: x * sigmoid(x), 0, 0, USUAL, [(0, 0, 0.5), (INF, INF, None)]),
    "sigmoid": (lambda x, p, q: sigmoid(x), 0, 0, USUAL, [(0, 0.5, 0.25), (INF, 1, 0), (-INF, 0, 0)]),
    "tanh": (lambda x, p, q: m.tanh(x), 0, 0, USUAL, [(0, 0, 1), (INF, 1, 0), (-INF, -1, 0)]),
    "softplus": (lambda x, p, q: m.log(1 + m.exp(x)), 0, 0, USUAL + [mpf(-100), mpf(19), mpf(45)],
                 [(INF, INF, 1), (-INF, 0, 0)]),
    "exp": (lambda x, p, q: m.exp(x), 0, 0, USUAL, [(0, 1, 1), (INF, INF, INF), (-INF, 0, 0)]),
    "expm1": (lambda x, p, q: m.expm1(x), 0, 0, USUAL, [(0, 0, 1), (INF, INF, INF), (-INF, -1, 0)]),
    "log": (lambda x, p, q: m.log(x), 0, 0, POSITIVE, [(0, -INF, INF), (INF, INF, 0), (-1, NAN, None)]),
    "log1p": (lambda x, p, q: m.log1p(x), 0, 0, POSITIVE + [mpf("-0.5")], [(-1, -INF, INF), (INF, INF, 0), (-2, NAN, None)]),
    "sqrt": (lambda x, p, q: m.sqrt(x), 0, 0, POSITIVE, [(0, 0, INF), (INF, INF, 0), (-1, NAN, None)]),
    "rsqrt": (lambda x, p, q: 1 / m.sqrt(x), 0, 0, POSITIVE, [(0, INF, -INF), (INF, 0, 0), (-1, NAN, None)]),
    "reciprocal": (lambda x, p, q: 1 / x, 0, 0, USUAL, [(0, INF, -INF), (INF, 0, 0), (-INF, 0, 0)]),
    "pow": (lambda x, p, q: x**p, 2.5, 0, POSITIVE, [(0, 0, 0), (INF, INF, INF), (-1, NAN, None)]),
    "sin": (lambda x, p, q: m.sin(x), 0, 0, USUAL, [(0, 0, 1), (INF, NAN, NAN)]),
    "cos": (lambda x, p, q: m.cos(x), 0, 0, USUAL, [(0, 1, 0), (INF, NAN, NAN)]),
    "abs": (lambda x, p, q: abs(x), 0, 0, USUAL, [(0, 0, 0), (INF, INF, 1), (-INF, INF, -1)]),
    "neg": (lambda x, p, q: -x, 0, 0, USUAL, [(INF, -INF, -1), (-INF, INF, -1)]),
    "square": (lambda x, p, q: x**2, 0, 0, USUAL, [(0, 0, 0), (INF, INF, INF), (-INF, INF, -INF)]),
    "clamp": (lambda x, p, q: min(max(x, p), q), -0.5, 1.5, USUAL, [(-0.5, -0.5, 1), (1.5, 1.5, 1), (INF, 1.5, 0)]),
    "affine": (lambda x, p, q: p * x + q, -2.5, 0.75, USUAL, [(0, 0.75, -2.5), (INF, -INF, -2.5)]),
}

PAIRS = [(mpf(a), mpf(b)) for a, b in (("-2.5", "0.75"), ("0.375", "1.5"), ("1.25", "-3"), ("4.5", "2"), ("-1", "-0.25"))]
SHARES = [(mpf(a), mpf(b)) for a, b in (("0.125", "0"), ("0.25", "1"), ("0.75", "0.5"), ("0.9375", "0.875"))]


def bce(a, b):  # logarithms are held above -100, as PyTorch's are
    return -(b * max(m.log(a), -100) + (1 - b) * max(m.log(1 - a), -100))


# name: definition of (a, b); points; [(a, b, value, derivative of a, of b)]
BINARY = {
    "add": (lambda a, b: a + b, PAIRS, [(INF, 1, INF, 1, 1), (INF, -INF, NAN, 1, 1)]),
    "sub": (lambda a, b: a - b, PAIRS, [(INF, 1, INF, 1, -1), (INF, INF, NAN, 1, -1)]),
    "mul": (lambda a, b: a * b, PAIRS, [(INF, 2, INF, 2, INF), (INF, 0, NAN, 0, INF)]),
    "div": (lambda a, b: a / b, PAIRS, [(1, 0, INF, INF, -INF), (0, 0, NAN, INF, None), (2, INF, 0, 0, 0)]),
    "maximum": (lambda a, b: max(a, b), PAIRS, [(2, 2, 2, 1, 0), (NAN, 1, NAN, None, None), (1, NAN, NAN, None, None)]),
    "minimum": (lambda a, b: min(a, b), PAIRS, [(2, 2, 2, 1, 0), (NAN, 1, NAN, None, None), (1, NAN, NAN, None, None)]),
    "mse": (lambda a, b: (a - b)**2, PAIRS, [(3, 3, 0, 0, 0), (INF, 1, INF, INF, -INF)]),
    "bce_with_logits": (lambda a, b: -(b * m.log(sigmoid(a)) + (1 - b) * m.log(1 - sigmoid(a))),
                        [(mpf(a), b) for (a, (_, b)) in zip((-3, 0.5, 1.25, -0.125), SHARES)],
                        [(1000, 1, 0, 0, -1000), (-1000, 1, 1000, -1, 1000), (1000, 0, 1000, 1, -1000)]),
    "bce": (bce, SHARES, [(0, 0, 0, 0, 100), (1, 1, 0, 0, -100), (0, 1, 100, -1e12, 100), (1, 0, 100, 1e12, -100)]),
}


def number(x):
    if x is None:
        return "{}"
    if m.isnan(x):
        return "kNan"
    if m.isinf(x):
        return "kInf" if x > 0 else "-kInf"
    return repr(float(x))  # the nearest f64


def row(name, numbers):
    print("{" + ", ".join([f'"{name}"'] + [number(x) for x in numbers]) + "},")


print("// Written by pointwise_reference.py.")
print("#ifdef AMPHORA_UNARY_REFERENCE  // function, x, p0, p1, value, derivative")
for name, (f, p, q, points, special) in UNARY.items():
    p, q = mpf(p), mpf(q)
    for x in points:
        row(name, (x, p, q, f(x, p, q), m.diff(lambda t: f(t, p, q), x)))
    for x, value, slope in special:
        row(name, (mpf(x), p, q, value, slope))
    row(name, (NAN, p, q, NAN, None))
print("#endif")
print("#ifdef AMPHORA_BINARY_REFERENCE  // function, a, b, value, derivative of a, of b")
for name, (f, points, special) in BINARY.items():
    for a, b in points:
        row(name, (a, b, f(a, b), m.diff(lambda t: f(t, b), a), m.diff(lambda t: f(a, t), b)))
    for numbers in special:
        row(name, numbers)
print("#endif")
