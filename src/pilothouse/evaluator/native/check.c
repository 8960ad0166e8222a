/* Every size and index is looked at before anything is evaluated: what passes here cannot read or write out of bounds. */
#include <math.h>
#include <stdlib.h>

#include "program.h"

static int ascending(const double *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (isnan(values[i]) || (i && values[i] < values[i - 1])) return 0;
    return 1;
}

static int within(const int32_t *values, size_t n, int32_t end) {
    for (size_t i = 0; i < n; i++)
        if (values[i] < 0 || values[i] >= end) return 0;
    return 1;
}

static const char *products_check(const Operation *o) {
    int32_t last = 0;
    if (o->int_sizes[0] != (size_t)o->width) return "ends";
    for (int32_t i = 0; i < o->width; i++) {
        if (o->ints[0][i] < last) return "ends";
        last = o->ints[0][i];
    }
    if ((size_t)last != o->int_sizes[1]) return "ends";
    return within(o->ints[1], o->int_sizes[1], o->sources) ? NULL : "factors";
}

static const char *lookup_check(Operation *o) {
    size_t keys = o->float_sizes[0];
    if (o->sources != 1 || o->width < 1 || keys > INT32_MAX - 2) return "sizes";
    if (o->float_sizes[1] != (keys + 2) * (size_t)o->width) return "table";
    if (!ascending(o->floats[0], keys)) return "keys";
    o->dense = 1;
    for (size_t i = 0; i < keys; i++)
        if (o->floats[0][i] != (double)i) o->dense = 0;
    return NULL;
}

static const char *matrices_check(const Operation *o) {
    size_t cells = (size_t)o->width * (size_t)o->sources;
    if (o->width < 1 || o->float_sizes[0] != cells) return "weights";
    if (o->code == LINEAR) return o->float_sizes[1] == (size_t)o->width ? NULL : "bias";
    return o->float_sizes[1] == cells ? NULL : "scales";
}

static const char *curve_check(const Operation *o) {
    if (o->sources != 1 || o->width != 1 || !ascending(o->floats[0], o->float_sizes[0])) return "x";
    if (o->float_sizes[0] > INT32_MAX) return "x";
    if (o->code == BINS) return NULL;
    return o->float_sizes[0] && o->float_sizes[0] == o->float_sizes[1] ? NULL : "y";
}

static const char *row_check(const Operation *o) {
    int many = o->mode == SOFTMAX || o->mode == SHARES || o->mode == LOG_SHARES;
    if (o->mode < 0 || o->mode >= ACROSSES) return "function";
    return o->width == (many ? o->sources : 1) ? NULL : "width";
}

static const char *elementwise_check(const Operation *o) {
    int modes = o->code == APPLY ? UNARIES : BINARIES;
    if (o->width != o->sources) return "width";
    if (o->code == FILL) return o->float_sizes[0] == (size_t)o->sources && o->float_sizes[1] == 1 ? NULL : "value";
    if (o->mode < 0 || o->mode >= modes) return "function";
    return o->code == APPLY || o->float_sizes[0] == (size_t)o->sources ? NULL : "constant";
}

const char *operation_check(Operation *o) {
    if (o->sources < 1 || !within(o->source, (size_t)o->sources, o->start)) return "source";
    if (o->width < 0 || o->start > MAXIMUM_COLUMNS - o->width) return "width";
    switch (o->code) {
    case FILL: case CONSTANT: case APPLY: return elementwise_check(o);
    case PAIR:
        if (o->mode < 0 || o->mode >= BINARIES) return "function";
        return o->sources == 2 * o->width ? NULL : "width";
    case ROW: return row_check(o);
    case LOOKUP: return lookup_check(o);
    case ONE_HOT: return o->sources == 1 && o->width > 0 ? NULL : "size";
    case BINS: case INTERPOLATE: return curve_check(o);
    case LINEAR: case DISTANCES: return matrices_check(o);
    case PRODUCTS: return products_check(o);
    case REFUSE: return o->width == 0 && o->mode >= 0 && o->mode < REFUSALS ? NULL : "reason";
    case TREES: return forest_make(o);
    default: return "code";
    }
}

void operation_clear(Operation *o) {
    free(o->source);
    for (int i = 0; i < FLOAT_ARRAYS; i++) free(o->floats[i]);
    for (int i = 0; i < INT_ARRAYS; i++) free(o->ints[i]);
    if (o->forest) forest_free(o->forest);
}
