// Philox4x32-10, shared by C++, GLSL and CUDA. Each language defines AM_FUNC, uint32 words and AM_MULHI first:
//   AM_FUNC             function qualifiers
//   AM_UINT             a 32-bit unsigned integer type
//   AM_MULHI(a, b)      the high 32 bits of the product
// philox_round advances (c0..c3) once under key (k0, k1); philox_10 runs all ten rounds in place.

#define AM_PHILOX_ROUND(c0, c1, c2, c3, k0, k1)       \
  {                                                   \
    AM_UINT hi0 = AM_MULHI(AM_UINT(0xD2511F53u), c0); \
    AM_UINT lo0 = AM_UINT(0xD2511F53u) * c0;          \
    AM_UINT hi1 = AM_MULHI(AM_UINT(0xCD9E8D57u), c2); \
    AM_UINT lo1 = AM_UINT(0xCD9E8D57u) * c2;          \
    c0 = hi1 ^ c1 ^ k0;                               \
    c1 = lo1;                                         \
    c2 = hi0 ^ c3 ^ k1;                               \
    c3 = lo0;                                         \
    k0 += AM_UINT(0x9E3779B9u);                       \
    k1 += AM_UINT(0xBB67AE85u);                       \
  }

#define AM_PHILOX_10(c0, c1, c2, c3, k0, k1)                                                  \
  {                                                                                           \
    for (int philox_i = 0; philox_i < 10; ++philox_i) AM_PHILOX_ROUND(c0, c1, c2, c3, k0, k1) \
  }
