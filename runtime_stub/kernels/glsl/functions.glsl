// Functions of one number and of two, numbered as in docs/native.md. GLSL has no erf, its tanh overflows
// on some devices, and its sin, cos and pow are coarse: those are made here.

float erf_of(float x) {
  const float size = abs(x);
  if (size < 0.5) {  // its series: what is near 0 keeps its digits
    const float s = x * x;
    float p = 1.0 / 9360.0;
    p = 1.0 / 1320.0 - s * p;
    p = 1.0 / 216.0 - s * p;
    p = 1.0 / 42.0 - s * p;
    p = 1.0 / 10.0 - s * p;
    p = 1.0 / 3.0 - s * p;
    return 1.12837916709551257 * x * (1.0 - s * p);
  }
  // Chebyshev fit of erfc, relative error below 1.2e-7.
  const float t = 1.0 / (1.0 + 0.5 * size);
  float p = 0.17087277;
  p = -0.82215223 + t * p;
  p = 1.48851587 + t * p;
  p = -1.13520398 + t * p;
  p = 0.27886807 + t * p;
  p = -0.18628806 + t * p;
  p = 0.09678418 + t * p;
  p = 0.37409196 + t * p;
  p = 1.00002368 + t * p;
  p = -1.26551223 + t * p;
  const float rest = size > 9.0 ? 0.0 : t * exp(p - size * size);
  return x < 0.0 ? rest - 1.0 : 1.0 - rest;
}

float tanh_of(float x) {
  const float size = abs(x);
  if (size < 0.1) {
    const float s = x * x;
    return x * (1.0 - s * (1.0 / 3.0 - s * (2.0 / 15.0 - s * (17.0 / 315.0))));
  }
  const float t = exp(-2.0 * size);
  const float y = (1.0 - t) / (1.0 + t);
  return x < 0.0 ? -y : y;
}

// sin of x + quarter * pi / 2. Exact enough for |x| < 20,000.
float sine_of(float x, uint quarter) {
  const float turns = roundEven(x * 0.636619772367581343);
  precise float r = x - turns * 1.5703125;  // pi / 2 in three parts
  r = r - turns * 4.837512969970703e-4;
  r = r - turns * 7.549789948768648e-8;
  const float s = r * r;
  const float sine = r * (1.0 + s * (-1.6666654611e-1 + s * (8.3321608736e-3 - s * 1.9515295891e-4)));
  const float cosine =
      1.0 - 0.5 * s + s * s * (4.166664568298827e-2 + s * (-1.388731625493765e-3 + s * 2.443315711809948e-5));
  const uint at = (uint(int(turns)) + quarter) & 3u;
  const float y = (at & 1u) == 0u ? sine : cosine;
  return (at & 2u) == 0u ? y : -y;
}

float unary_of(uint function, float x) {
  switch (function) {
    case 0u: return x / (1.0 + exp(-x));
    case 1u: return x < 0.0 ? 0.0 : x;
    case 2u: return 0.5 * x * (1.0 + erf_of(x * 0.70710678118654752));
    case 3u: return 0.5 * x * (1.0 + tanh_of(0.79788456080286536 * (x + 0.044715 * x * x * x)));
    case 4u: return tanh_of(x);
    case 5u: return 1.0 / (1.0 + exp(-x));
    case 6u: return exp(x);
    case 7u: return log(x);
    case 8u: return sqrt(x);
    case 9u: return 1.0 / sqrt(x);
    case 10u: return -x;
    case 11u: return abs(x);
    case 12u: return sine_of(x, 1u);
    case 13u: return sine_of(x, 0u);
    case 14u: return erf_of(x);
    case 15u: return 1.0 / x;
    default: return floor(x);
  }
}

// a^b. Whole exponents up to 64 are products, which keeps their digits.
float power_of(float a, float b) {
  const float whole = roundEven(b);
  if (whole == b && abs(b) <= 64.0) {
    float y = 1.0, square = a;
    for (uint n = uint(abs(b)); n > 0u; n >>= 1) {
      if ((n & 1u) != 0u) y *= square;
      square *= square;
    }
    return b < 0.0 ? 1.0 / y : y;
  }
  if (a == 0.0) return b > 0.0 ? 0.0 : 1.0 / a;
  const float size = exp2(b * log2(abs(a)));
  if (a > 0.0) return size;
  if (whole != b) return uintBitsToFloat(0x7fc00000u);
  return fract(0.5 * whole) != 0.0 ? -size : size;
}

float binary_of(uint function, float a, float b) {
  switch (function) {
    case 0u: return a + b;
    case 1u: return a - b;
    case 2u: return a * b;
    case 3u: return a / b;
    case 4u: return power_of(a, b);
    case 5u: return isnan(a) || a > b ? a : b;
    default: return isnan(a) || a < b ? a : b;
  }
}
