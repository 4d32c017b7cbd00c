/*
 * The dense loop of the online traces of kernels/online.ts in C, for comparison in the same run:
 * e = psi eps - damp owed;  owed = rho owed + e;  bar = kappa bar + gain e;  grad += L bar,
 * eight steps for each group of eight synapses. Prints the median of milliseconds and a checksum.
 *
 *     cc -O3 -msse4.2 online.c -o online && ./online N NIN STEPS REPETITIONS
 */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHUNK = 8, GROUP = 8 };

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void dense(float *restrict grad, float *restrict owed, float *restrict bar, const float *restrict eps,
                  const float *restrict psi, const float *restrict damp, const float *restrict signal, float rho,
                  float kappa, float gain, int pre, int n, int steps) {
  for (int i = 0; i < pre; i++) {
    for (int j = 0; j + GROUP <= n; j += GROUP) {
      float o[GROUP], b[GROUP], g[GROUP];
      size_t at = (size_t)i * n + j;
      memcpy(o, owed + at, sizeof o);
      memcpy(b, bar + at, sizeof b);
      memcpy(g, grad + at, sizeof g);
      for (int t = 0; t < steps; t++) {
        float p = eps[(size_t)t * pre + i];
        const float *s = psi + (size_t)t * n + j, *d = damp + (size_t)t * n + j, *l = signal + (size_t)t * n + j;
        for (int k = 0; k < GROUP; k++) {
          float e = s[k] * p - d[k] * o[k];
          o[k] = rho * o[k] + e;
          b[k] = kappa * b[k] + gain * e;
          g[k] += l[k] * b[k];
        }
      }
      memcpy(owed + at, o, sizeof o);
      memcpy(bar + at, b, sizeof b);
      memcpy(grad + at, g, sizeof g);
    }
  }
}

static float *numbers(size_t n, float scale, unsigned *seed) {
  float *x = malloc(n * sizeof *x);
  for (size_t s = 0; s < n; s++) x[s] = scale * ((float)rand_r(seed) / RAND_MAX - 0.3f);
  return x;
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int n = atoi(argv[1]), pre = n + atoi(argv[2]), steps = atoi(argv[3]), repetitions = atoi(argv[4]);
  unsigned seed = 1;
  size_t synapses = (size_t)pre * n;
  float *psi = numbers((size_t)steps * n, 0.5f, &seed), *signal = numbers((size_t)steps * n, 0.1f, &seed);
  float *damp = numbers((size_t)steps * n, 0.02f, &seed), *eps = numbers((size_t)steps * pre, 1.0f, &seed);
  float *grad = calloc(synapses, sizeof *grad), *owed = calloc(synapses, sizeof *owed), *bar = calloc(synapses, sizeof *bar);
  double *times = malloc(repetitions * sizeof *times);
  for (int r = -1; r < repetitions; r++) {
    double start = now_ms();
    for (int t = 0; t + CHUNK <= steps; t += CHUNK) {
      dense(grad, owed, bar, eps + (size_t)t * pre, psi + (size_t)t * n, damp + (size_t)t * n, signal + (size_t)t * n,
            0.995f, 0.95f, 0.05f, pre, n, CHUNK);
    }
    if (r >= 0) times[r] = now_ms() - start;
  }
  double sum = 0;
  for (size_t s = 0; s < synapses; s++) sum += grad[s];
  qsort(times, repetitions, sizeof *times, ascending);
  printf("{\"median_ms\": %.6f, \"checksum\": %.9g}\n", times[repetitions / 2], sum);
  return 0;
}
