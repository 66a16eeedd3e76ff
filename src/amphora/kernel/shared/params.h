// Parameter and device-state structures of the kernels, shared by C++, GLSL and CUDA.
//
// AM_STRUCT(name) opens a structure, AM_INT, AM_UINT32 and AM_FLOAT are 32-bit types. Sizes are 4-byte multiples with
// no padding, so that the layout is the same in every language. At most kMaxParamBytes each.

#ifndef AM_PARAMS
#define AM_PARAMS

#ifndef AM_STRUCT
#include <cstdint>
#define AM_STRUCT(name) struct name
#define AM_INT std::int32_t
#define AM_UINT32 std::uint32_t
#define AM_FLOAT float
#endif

AM_STRUCT(CountParams) { AM_UINT32 count; };

AM_STRUCT(FillParams) {
  AM_UINT32 count;
  AM_FLOAT value;
};

// out[i] = in[i] over a strided index space; strides in elements.
AM_STRUCT(CopyParams) {
  AM_INT rank;
  AM_INT sizes[5];
  AM_INT in_strides[5];
  AM_INT out_strides[5];
};

// p0 and p1 are the function's own constants (slope, bounds, exponent, factor).
AM_STRUCT(UnaryParams) {
  AM_UINT32 count;
  AM_FLOAT p0;
  AM_FLOAT p1;
};

// `out` is contiguous over `sizes`; a, b (and dy of the gradient) are strided, 0 where they repeat.
AM_STRUCT(BinaryParams) {
  AM_INT rank;
  AM_INT sizes[5];
  AM_INT a_strides[5];
  AM_INT b_strides[5];
  AM_INT dy_strides[5];
};

// c[i] = activation(alpha * op(a[i]) op(b[i]) + beta * c[i] + bias) for i < batch; c is m x n, row-major with leading
// dimension ldc; op(a) is m x k, stored as lda-row-major m x k, or k x m where transposed; bias has n entries.
AM_STRUCT(MatmulParams) {
  AM_INT m;
  AM_INT n;
  AM_INT k;
  AM_INT batch;
  AM_INT lda;
  AM_INT ldb;
  AM_INT ldc;
  AM_INT a_batch_stride;
  AM_INT b_batch_stride;
  AM_INT c_batch_stride;
  AM_FLOAT alpha;
  AM_FLOAT beta;
};

// out[o, i] = scale * reduction over e of in[o, e, i] (+ out[o, i] when accumulate != 0). All contiguous.
AM_STRUCT(ReduceParams) {
  AM_UINT32 outer;
  AM_UINT32 extent;
  AM_UINT32 inner;
  AM_FLOAT scale;
  AM_INT accumulate;
};

AM_STRUCT(RowsParams) {
  AM_UINT32 rows;
  AM_UINT32 columns;
};

// The gradient is scaled by dloss[row * dloss_stride].
AM_STRUCT(CrossEntropyParams) {
  AM_UINT32 rows;
  AM_UINT32 columns;
  AM_UINT32 dloss_stride;
};

// Element i is kept when random_bits(stream, i) >= threshold, and multiplied by `scale`. The number in the buffer
// `call` is added to stream_high, modulo 2^32.
AM_STRUCT(DropoutParams) {
  AM_UINT32 count;
  AM_UINT32 threshold;
  AM_FLOAT scale;
  AM_UINT32 seed_low;
  AM_UINT32 seed_high;
  AM_UINT32 stream_low;
  AM_UINT32 stream_high;
};

// p: the order of the norm; infinities allowed.
AM_STRUCT(GradientNormParams) {
  AM_UINT32 count;
  AM_FLOAT p;
};

AM_STRUCT(ClipParams) {
  AM_UINT32 count;
  AM_FLOAT limit;
};

AM_STRUCT(LerpParams) {
  AM_UINT32 count;
  AM_FLOAT weight;
};

// Constants in the order of the rule's row in optim.def. Each is the sum of two numbers; f32 masters need the first.
AM_STRUCT(OptimizerParams) {
  AM_UINT32 count;
  AM_FLOAT constants[8];
  AM_FLOAT constants_low[8];
};

// A decay is the sum of two numbers: 1 - decay and its powers lose most of one f32's digits.
AM_STRUCT(BeginStepParams) {
  AM_FLOAT decay1;
  AM_FLOAT decay1_low;
  AM_FLOAT decay2;
  AM_FLOAT decay2_low;
  AM_INT unscale; /* 1: the gradients still carry the loss scale */
};

AM_STRUCT(ScalerUpdateParams) {
  AM_FLOAT growth_factor;
  AM_FLOAT backoff_factor;
  AM_FLOAT min_scale;
  AM_FLOAT max_scale;
  AM_INT growth_interval;
  AM_INT hysteresis;
  AM_INT dynamic; /* 0: the scale never changes */
};

// --- state that lives on the device ---

// The GradScaler's. found_inf gathers over all optimizers until the next update.
AM_STRUCT(ScalerState) {
  AM_FLOAT scale;
  AM_INT growth_tracker;
  AM_INT hysteresis_tracker;
  AM_FLOAT found_inf;
  AM_INT updates; /* calls of update so far */
  AM_INT skipped; /* updates that saw a non-finite gradient */
};

// One optimizer's gradients: found_inf is only ever set, by inspect and unscale.
AM_STRUCT(GradientStats) { AM_FLOAT found_inf; };

// That of parameters which share a step counter. lr is written by the host, or begin_step takes it from where the host
// has put it; the rest is begin_step's.
AM_STRUCT(GroupState) {
  AM_FLOAT lr;
  AM_INT step;              /* applied steps */
  AM_INT skip;              /* 1: the current step is not applied */
  AM_FLOAT gradient_factor; /* what gradients are multiplied with: 1 or 1 / loss scale */
  AM_FLOAT correction1;     /* 1 - decay1^step */
  AM_FLOAT correction2;     /* sqrt(1 - decay2^step) */
};

#endif
