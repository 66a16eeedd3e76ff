// What pointwise.def names, over intervals: each function with the subject's error.
#pragma once

#include <cmath>

#include "conformance/interval.h"

#define C(value) Interval::exact(static_cast<float>(value))
#define SELECT(condition, yes, no) select(condition, yes, no)
#define LESS(a, b) less(a, b)
#define EXP(x) monotone(x, accuracy().exp, [](double v) { return std::exp(v); })
#define EXPM1(x) monotone(x, accuracy().expm1, [](double v) { return std::expm1(v); })
#define LOG(x) monotone(x, accuracy().log, [](double v) { return std::log(v); })
#define LOG1P(x) monotone(x, accuracy().log1p, [](double v) { return std::log1p(v); })
#define SQRT(x) monotone(x, accuracy().square_root, [](double v) { return std::sqrt(v); })
#define TANH(x) monotone(x, accuracy().tanh, [](double v) { return std::tanh(v); })
#define SIN(x) gentle(x, accuracy().sine, [](double v) { return std::sin(v); })
#define COS(x) gentle(x, accuracy().sine, [](double v) { return std::cos(v); })
#define ABS(x) absolute(x)
#define POW(x, p) power(x, p)
