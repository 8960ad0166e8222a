/* The operations but trees. Sums go from left to right; the compiler may not fuse or reorder them. */
#include <math.h>
#include <string.h>

#include "program.h"

#define EACH for (int32_t r = 0; r < rows; r++)

static void fill(const Operation *o, double **columns, int32_t rows) {
    double marker = o->floats[1][0];
    for (int32_t i = 0; i < o->sources; i++) {
        const double *x = columns[o->source[i]];
        double *y = columns[o->start + i], value = o->floats[0][i];
        if (isnan(marker)) EACH y[r] = x[r] != x[r] ? value : x[r];
        else EACH y[r] = x[r] == marker ? value : x[r];
    }
}

/* `b` moves on by `step` a row: 0 for a constant. */
static void binary(int mode, const double *a, const double *b, int step, double *y, int32_t rows) {
#define BOTH(expression) EACH { double p = a[r], q = b[r * step]; y[r] = (expression); } break
    switch (mode) {
    case ADD: BOTH(p + q);
    case SUBTRACT: BOTH(p - q);
    case MULTIPLY: BOTH(p * q);
    case DIVIDE: BOTH(p / q);
    case MINIMUM: BOTH(q < p ? q : p);
    case MAXIMUM: BOTH(q > p ? q : p);
    case GREATER: BOTH(p > q ? 1.0 : 0.0);
    case GREATER_EQUAL: BOTH(p >= q ? 1.0 : 0.0);
    case EQUAL: BOTH(p == q ? 1.0 : 0.0);
    default: BOTH(pow(p, q));
    }
}

static void unary(int mode, const double *x, double *y, int32_t rows) {
#define ONE(expression) EACH { double p = x[r]; y[r] = (expression); } break
    switch (mode) {
    case MISSING: ONE(p != p ? 1.0 : 0.0);
    case ABSOLUTE: ONE(fabs(p));
    case NEGATIVE: ONE(-p);
    case SQUARE: ONE(p * p);
    case SQUARE_ROOT: ONE(sqrt(p));
    case EXP: ONE(exp(p));
    case EXPM1: ONE(expm1(p));
    case LOG: ONE(log(p));
    case LOG1P: ONE(log1p(p));
    case LOGISTIC: ONE(1.0 / (1.0 + exp(-p)));
    case TANH: ONE(tanh(p));
    case SINGLE: ONE((double)(float)p);
    case LOG2: ONE(log2(p));
    case LOG10: ONE(log10(p));
    case SIN: ONE(sin(p));
    case COS: ONE(cos(p));
    case CUBE_ROOT: ONE(cbrt(p));
    case SIGN: ONE(p > 0 ? 1.0 : p < 0 ? -1.0 : p);
    case FLOOR: ONE(floor(p));
    case CEILING: ONE(ceil(p));
    case ROUND: ONE(nearbyint(p));
    default: ONE(exp2(p));
    }
}

static void shares(const Operation *o, double **columns, int32_t rows) {
    int logarithms = o->mode == LOG_SHARES, powers = logarithms || o->mode == SOFTMAX;
    EACH {
        double top = columns[o->source[0]][r], total = 0;
        for (int32_t i = 1; powers && i < o->sources; i++) {
            double x = columns[o->source[i]][r];
            if (x > top) top = x;
        }
        for (int32_t i = 0; i < o->sources; i++) {
            double x = columns[o->source[i]][r], part = powers ? exp(x - top) : x;
            columns[o->start + i][r] = part;
            total = i ? total + part : part;
        }
        if (logarithms) total = log(total) + top;
        for (int32_t i = 0; i < o->sources; i++) {
            double *y = &columns[o->start + i][r];
            *y = logarithms ? columns[o->source[i]][r] - total : *y / total;
        }
    }
}

static double across_one(const Operation *o, double **columns, int32_t r) {
    double best = columns[o->source[0]][r], place = 0;
    if (o->mode == LENGTH) best *= best;
    for (int32_t i = 1; i < o->sources; i++) {
        double x = columns[o->source[i]][r];
        switch (o->mode) {
        case ARGMAX: if (x > best) { best = x; place = i; } break;
        case ARGMIN: if (x < best) { best = x; place = i; } break;
        case SUM: best += x; break;
        case LENGTH: best += x * x; break;
        default: if (x > best) best = x;
        }
    }
    if (o->mode == LENGTH) return sqrt(best);
    return o->mode == ARGMAX || o->mode == ARGMIN ? place : best;
}

static void across(const Operation *o, double **columns, int32_t rows) {
    if (o->mode == SOFTMAX || o->mode == SHARES || o->mode == LOG_SHARES) shares(o, columns, rows);
    else EACH columns[o->start][r] = across_one(o, columns, r);
}

/* How many of the ascending values are below x (or at most x). */
static size_t place(const double *values, size_t n, double x, int at_most) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (at_most ? values[middle] <= x : values[middle] < x) low = middle + 1;
        else high = middle;
    }
    return low;
}

static size_t lookup_row(const Operation *o, double x) {
    size_t keys = o->float_sizes[0];
    if (x != x) return keys + 1;
    if (o->dense) {
        if (!(x >= 0 && x < (double)keys)) return keys;
        size_t at = (size_t)x;
        return (double)at == x ? at : keys;
    }
    size_t at = place(o->floats[0], keys, x, 0);
    return at < keys && o->floats[0][at] == x ? at : keys;
}

static void lookup(const Operation *o, double **columns, int32_t rows) {
    const double *x = columns[o->source[0]];
    EACH {
        const double *from = o->floats[1] + lookup_row(o, x[r]) * (size_t)o->width;
        for (int32_t i = 0; i < o->width; i++) columns[o->start + i][r] = from[i];
    }
}

static void one_hot(const Operation *o, double **columns, int32_t rows) {
    const double *x = columns[o->source[0]];
    for (int32_t i = 0; i < o->width; i++) memset(columns[o->start + i], 0, sizeof(double) * (size_t)rows);
    EACH if (x[r] >= 0 && x[r] < o->width) {
        int32_t at = (int32_t)x[r];
        if ((double)at == x[r]) columns[o->start + at][r] = 1.0;
    }
}

static void bins(const Operation *o, double **columns, int32_t rows) {
    const double *x = columns[o->source[0]];
    double *y = columns[o->start];
    EACH y[r] = (double)(x[r] != x[r] ? o->float_sizes[0] : place(o->floats[0], o->float_sizes[0], x[r], 1));
}

static void linear(const Operation *o, double **columns, int32_t rows) {
    for (int32_t k = 0; k < o->width; k++) {
        const double *weights = o->floats[0] + (size_t)k * (size_t)o->sources;
        double *y = columns[o->start + k], bias = o->floats[1][k];
        for (int32_t i = 0; i < o->sources; i++) {
            const double *x = columns[o->source[i]];
            double weight = weights[i];
            if (i) EACH y[r] = y[r] + x[r] * weight;
            else EACH y[r] = x[r] * weight;
        }
        EACH y[r] = y[r] + bias;
    }
}

static void products(const Operation *o, double **columns, int32_t rows) {
    int32_t at = 0;
    for (int32_t k = 0; k < o->width; k++) {
        double *y = columns[o->start + k];
        EACH y[r] = 1.0;
        for (; at < o->ints[0][k]; at++) {
            const double *x = columns[o->source[o->ints[1][at]]];
            EACH y[r] = y[r] * x[r];
        }
    }
}

static void distances(const Operation *o, double **columns, int32_t rows) {
    for (int32_t k = 0; k < o->width; k++) {
        size_t from = (size_t)k * (size_t)o->sources;
        double *y = columns[o->start + k];
        EACH y[r] = 0.0;
        for (int32_t i = 0; i < o->sources; i++) {
            const double *x = columns[o->source[i]];
            double centre = o->floats[0][from + (size_t)i], scale = o->floats[1][from + (size_t)i];
            EACH y[r] = y[r] + (x[r] - centre) * (x[r] - centre) / scale;
        }
    }
}

static double curve(const Operation *o, double x) {
    const double *xs = o->floats[0], *ys = o->floats[1];
    size_t n = o->float_sizes[0];
    if (x != x) return x;
    if (n == 1) return ys[0];
    if (x < xs[0]) x = xs[0];
    if (x > xs[n - 1]) x = xs[n - 1];
    size_t above = place(xs, n, x, 0);
    if (above < 1) above = 1;
    if (above > n - 1) above = n - 1;
    double x0 = xs[above - 1], y0 = ys[above - 1];
    return (ys[above] - y0) / (xs[above] - x0) * (x - x0) + y0;
}

static int refuses(int reason, double x) {
    switch (reason) {
    case REFUSE_MISSING: return x != x;
    case REFUSE_INFINITE: return isinf(x) != 0;
    /* What rounds to an infinity of binary32: halfway beyond the largest. */
    case REFUSE_BEYOND_SINGLE: return fabs(x) >= 3.4028235677973366e38;
    default: return x < 0;
    }
}

/* The first row with any refused value, or -1. */
static int32_t refused_row(const Operation *o, double **columns, int32_t rows) {
    int32_t first = rows;
    for (int32_t i = 0; i < o->sources; i++) {
        const double *x = columns[o->source[i]];
        for (int32_t r = 0; r < first; r++)
            if (refuses(o->mode, x[r])) first = r;
    }
    return first < rows ? first : -1;
}

static void elementwise(const Operation *o, double **columns, int32_t rows) {
    for (int32_t i = 0; i < o->width; i++) {
        const double *x = columns[o->source[i]];
        double *y = columns[o->start + i];
        if (o->code == APPLY) unary(o->mode, x, y, rows);
        else if (o->code == CONSTANT) binary(o->mode, x, &o->floats[0][i], 0, y, rows);
        else binary(o->mode, x, columns[o->source[o->width + i]], 1, y, rows);
    }
}

int program_run(const Program *program, double **columns, int32_t rows, int32_t *refused) {
    for (int32_t at = 0; at < program->operations; at++) {
        const Operation *o = &program->operation[at];
        switch (o->code) {
        case FILL: fill(o, columns, rows); break;
        case CONSTANT: case APPLY: case PAIR: elementwise(o, columns, rows); break;
        case ROW: across(o, columns, rows); break;
        case LOOKUP: lookup(o, columns, rows); break;
        case ONE_HOT: one_hot(o, columns, rows); break;
        case BINS: bins(o, columns, rows); break;
        case LINEAR: linear(o, columns, rows); break;
        case PRODUCTS: products(o, columns, rows); break;
        case DISTANCES: distances(o, columns, rows); break;
        case INTERPOLATE: EACH columns[o->start][r] = curve(o, columns[o->source[0]][r]); break;
        case REFUSE:
            *refused = refused_row(o, columns, rows);
            if (*refused >= 0) return at;
            break;
        default:
            if (forest_run(o, columns, rows)) return NO_MEMORY;
        }
    }
    return ANSWERED;
}
