/* Trees, laid out anew: siblings side by side, a leaf its own child, so that a step down is one comparison and one addition. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

enum { ROOTS, TARGETS, FEATURE, LEFT, RIGHT, GO_LEFT, CATEGORIES, SETS };
enum { THRESHOLD, LEAVES, START };
enum { LANES = 16, WORD_BITS = 32 };

void forest_free(Forest *f) {
    free(f->roots);
    free(f->singles);
    free(f->doubles);
    free(f->leaf);
    free(f->sizes);
    free(f);
}

static const char *sizes_check(const Operation *o) {
    size_t nodes = o->int_sizes[FEATURE], leaves = o->float_sizes[LEAVES];
    if (o->width < 1 || o->float_sizes[START] != (size_t)o->width) return "start";
    if (!nodes || nodes > INT32_MAX / 2 || leaves > INT32_MAX || o->int_sizes[SETS] > INT32_MAX / WORD_BITS) return "nodes";
    if (o->float_sizes[THRESHOLD] != nodes) return "threshold";
    for (int i = FEATURE; i <= CATEGORIES; i++)
        if (o->int_sizes[i] != nodes) return "nodes";
    if (!o->int_sizes[ROOTS] || o->int_sizes[ROOTS] > nodes || o->int_sizes[ROOTS] != o->int_sizes[TARGETS]) return "roots";
    return NULL;
}

/* One parent at most, and none for a root, so that no node is met twice. */
static const char *node_check(const Operation *o, int32_t i, int32_t leaf_rows, unsigned char *met) {
    int32_t nodes = (int32_t)o->int_sizes[FEATURE], feature = o->ints[FEATURE][i], set = o->ints[CATEGORIES][i];
    double threshold = o->floats[THRESHOLD][i];
    if (feature == -1) return o->ints[LEFT][i] >= 0 && o->ints[LEFT][i] < leaf_rows ? NULL : "leaf";
    if (feature < 0 || feature >= o->sources) return "feature";
    if (threshold != threshold) return "threshold";
    for (int side = LEFT; side <= RIGHT; side++) {
        int32_t child = o->ints[side][i];
        if (child <= i || child >= nodes || met[child]) return "child";
        met[child] = 1;
    }
    if (set < 0) return NULL;
    double words = (double)o->int_sizes[SETS];
    return threshold >= 0 && threshold == floor(threshold) && (double)set + threshold <= words ? NULL : "categories";
}

static const char *nodes_check(const Operation *o, int32_t leaf_width) {
    int32_t nodes = (int32_t)o->int_sizes[FEATURE], leaf_rows = (int32_t)o->float_sizes[LEAVES] / leaf_width;
    const char *problem = NULL;
    unsigned char *met = calloc((size_t)nodes, 1);
    if (!met) return "memory";
    for (size_t t = 0; t < o->int_sizes[ROOTS] && !problem; t++) {
        int32_t root = o->ints[ROOTS][t], target = o->ints[TARGETS][t];
        if (root < 0 || root >= nodes || met[root]) problem = "roots";
        else met[root] = 1;
        if (target < 0 || target > o->width - leaf_width) problem = "targets";
    }
    for (int32_t i = 0; i < nodes && !problem; i++) problem = node_check(o, i, leaf_rows, met);
    free(met);
    return problem;
}

/* The greatest binary32 that is not above: x <= t holds for the same binary32 values x. */
static float floor_single(double t) {
    float single = (float)t;
    return (double)single > t ? nextafterf(single, -INFINITY) : single;
}

static void node_set(Forest *f, int32_t at, double threshold, uint32_t feature, int32_t child) {
    if (f->single) f->singles[at] = (SingleNode){floor_single(threshold), feature, child};
    else f->doubles[at] = (DoubleNode){threshold, feature, child};
}

static void node_copy(Forest *f, const Operation *o, int32_t from, int32_t to, int32_t child) {
    int32_t feature = o->ints[FEATURE][from];
    if (feature == -1) {
        f->leaf[to] = o->ints[LEFT][from];
        node_set(f, to, INFINITY, MISSING_LEFT, to);
        return;
    }
    uint32_t says = (uint32_t)feature | (o->ints[GO_LEFT][from] ? MISSING_LEFT : 0u);
    if (o->ints[CATEGORIES][from] >= 0) {
        says |= OF_CATEGORIES;
        f->with_categories = 1;
        f->leaf[to] = o->ints[CATEGORIES][from];
        f->sizes[to] = (int32_t)o->floats[THRESHOLD][from];
    }
    node_set(f, to, o->floats[THRESHOLD][from], says, child);
}

/* Depth first, to the left first: the lower parts of a way share their lines of cache. */
static void lay_out(Forest *f, const Operation *o, int32_t *stack) {
    int32_t next = 0;
    for (int32_t t = 0; t < f->trees; t++) {
        int32_t top = 0;
        f->roots[t] = next;
        stack[top++] = o->ints[ROOTS][t];
        stack[top++] = next++;
        while (top) {
            int32_t to = stack[--top], from = stack[--top], child = next;
            node_copy(f, o, from, to, child);
            if (o->ints[FEATURE][from] == -1) continue;
            next += 2;
            stack[top++] = o->ints[RIGHT][from];
            stack[top++] = child + 1;
            stack[top++] = o->ints[LEFT][from];
            stack[top++] = child;
        }
    }
}

static int reserve(Forest *f, const Operation *o) {
    size_t nodes = o->int_sizes[FEATURE];
    f->roots = calloc(o->int_sizes[ROOTS], sizeof *f->roots);
    f->leaf = calloc(nodes, sizeof *f->leaf);
    f->sizes = calloc(nodes, sizeof *f->sizes);
    if (f->single) f->singles = calloc(nodes, sizeof *f->singles);
    else f->doubles = calloc(nodes, sizeof *f->doubles);
    return f->roots && f->leaf && f->sizes && (f->singles || f->doubles);
}

const char *forest_make(Operation *o) {
    const char *problem = sizes_check(o);
    int32_t leaf_width = o->leaf_width;
    if (problem) return problem;
    if (leaf_width < 1 || leaf_width > o->width || !o->float_sizes[LEAVES] || o->float_sizes[LEAVES] % (size_t)leaf_width) return "leaves";
    if ((problem = nodes_check(o, leaf_width))) return problem;
    Forest *f = calloc(1, sizeof *f);
    int32_t *stack = calloc(o->int_sizes[FEATURE] + 1, 2 * sizeof *stack);
    if (f) {
        o->forest = f;
        f->trees = (int32_t)o->int_sizes[ROOTS];
        f->nodes = (int32_t)o->int_sizes[FEATURE];
        f->leaf_width = leaf_width;
        f->single = o->mode & 1;
        f->single_sum = o->mode & 2;
        f->targets = o->ints[TARGETS];
        f->leaves = o->floats[LEAVES];
        f->start = o->floats[START];
        f->words = (const uint32_t *)o->ints[SETS];
    }
    if (!f || !stack || !reserve(f, o)) problem = "memory";
    else lay_out(f, o, stack);
    free(stack);
    return problem;
}

static int in_set(const Forest *f, int32_t at, double x) {
    if (!(x > -1.0 && x < (double)f->sizes[at] * WORD_BITS)) return 0;
    uint32_t value = (uint32_t)x;
    return f->words[(uint32_t)f->leaf[at] + value / WORD_BITS] >> (value % WORD_BITS) & 1u;
}

/* `reach` takes LANES ways at a time, each a row in a tree: their loads do not wait for one another. `moved` stays 0 once
   all have come to leaves. A missing value compares as false, so it would go to the right. */
#define WALK(name, Node, nodes_of, Value, STEP)                                                                      \
    static void name(const Forest *f, const Value *const *rows, int32_t *at, int32_t lanes) {                         \
        const Node *nodes = f->nodes_of;                                                                              \
        int32_t moved;                                                                                                \
        do {                                                                                                          \
            moved = 0;                                                                                                \
            for (int32_t lane = 0; lane < lanes; lane++) {                                                            \
                const Node node = nodes[at[lane]];                                                                    \
                Value x = rows[lane][node.feature & FEATURE_BITS];                                                    \
                int32_t next;                                                                                         \
                STEP;                                                                                                 \
                moved |= next ^ at[lane];                                                                             \
                at[lane] = next;                                                                                      \
            }                                                                                                         \
        } while (moved);                                                                                              \
    }

#define PLAIN_STEP next = node.child + !(x <= node.threshold)
#define MISSING_STEP next = node.child + !((x <= node.threshold) | ((x != x) & (node.feature & MISSING_LEFT) / MISSING_LEFT))
#define CATEGORY_STEP                                                                                                 \
    if (x == x && node.feature & OF_CATEGORIES) next = node.child + !in_set(f, at[lane], (double)x);                  \
    else MISSING_STEP

WALK(single_plain, SingleNode, singles, float, PLAIN_STEP)
WALK(single_missing, SingleNode, singles, float, MISSING_STEP)
WALK(single_categories, SingleNode, singles, float, CATEGORY_STEP)
WALK(double_plain, DoubleNode, doubles, double, PLAIN_STEP)
WALK(double_missing, DoubleNode, doubles, double, MISSING_STEP)
WALK(double_categories, DoubleNode, doubles, double, CATEGORY_STEP)

static void walk(const Forest *f, int missing, const void *const *rows, int32_t *at, int32_t lanes) {
    int kind = f->with_categories ? 2 : missing ? 1 : 0;
    if (f->single) {
        const float *const *x = (const float *const *)rows;
        if (kind == 2) single_categories(f, x, at, lanes);
        else if (kind == 1) single_missing(f, x, at, lanes);
        else if (lanes == LANES) single_plain(f, x, at, LANES);
        else single_plain(f, x, at, lanes);
    } else {
        const double *const *x = (const double *const *)rows;
        if (kind == 2) double_categories(f, x, at, lanes);
        else if (kind == 1) double_missing(f, x, at, lanes);
        else if (lanes == LANES) double_plain(f, x, at, LANES);
        else double_plain(f, x, at, lanes);
    }
}

static void add(const Forest *f, const Operation *o, double **columns, int32_t tree, int32_t row, int32_t at) {
    const double *leaf = f->leaves + (size_t)f->leaf[at] * (size_t)f->leaf_width;
    double **target = columns + o->start + f->targets[tree];
    for (int32_t k = 0; k < f->leaf_width; k++) {
        double *sum = &target[k][row];
        *sum = f->single_sum ? (double)((float)*sum + (float)leaf[k]) : *sum + leaf[k];
    }
}

/* One row: ways through neighbouring trees at a time, added up in the order of the trees. */
static void one_row(const Forest *f, const Operation *o, double **columns, const void *x, int missing) {
    const void *rows[LANES];
    int32_t at[LANES];
    for (int i = 0; i < LANES; i++) rows[i] = x;
    for (int32_t tree = 0; tree < f->trees; tree += LANES) {
        int32_t lanes = f->trees - tree < LANES ? f->trees - tree : LANES;
        for (int32_t i = 0; i < lanes; i++) at[i] = f->roots[tree + i];
        walk(f, missing, rows, at, lanes);
        for (int32_t i = 0; i < lanes; i++) add(f, o, columns, tree + i, 0, at[i]);
    }
}

/* Many rows: tree by tree, so that a tree's nodes stay in the cache for all of them. */
static void many_rows(const Forest *f, const Operation *o, double **columns, const char *table, int32_t count, int missing) {
    size_t stride = (size_t)o->sources * (f->single ? sizeof(float) : sizeof(double));
    const void *rows[LANES];
    int32_t at[LANES];
    for (int32_t tree = 0; tree < f->trees; tree++)
        for (int32_t row = 0; row < count; row += LANES) {
            int32_t lanes = count - row < LANES ? count - row : LANES;
            for (int32_t i = 0; i < lanes; i++) {
                rows[i] = table + (size_t)(row + i) * stride;
                at[i] = f->roots[tree];
            }
            walk(f, missing, rows, at, lanes);
            for (int32_t i = 0; i < lanes; i++) add(f, o, columns, tree, row + i, at[i]);
        }
}

/* Bring the source columns side by side, row by row; say whether a value is missing. */
static int gather(const Operation *o, double **columns, int32_t rows, void *table) {
    size_t n = (size_t)o->sources;
    int missing = 0;
    for (size_t i = 0; i < n; i++) {
        const double *x = columns[o->source[i]];
        if (o->forest->single)
            for (int32_t r = 0; r < rows; r++) {
                ((float *)table)[(size_t)r * n + i] = (float)x[r];
                missing |= x[r] != x[r];
            }
        else
            for (int32_t r = 0; r < rows; r++) {
                ((double *)table)[(size_t)r * n + i] = x[r];
                missing |= x[r] != x[r];
            }
    }
    return missing;
}

int forest_run(const Operation *o, double **columns, int32_t rows) {
    const Forest *f = o->forest;
    double few[128];
    size_t size = (size_t)rows * (size_t)o->sources * (f->single ? sizeof(float) : sizeof(double));
    void *table = size <= sizeof few ? (void *)few : malloc(size);
    if (!table) return 1;
    int missing = gather(o, columns, rows, table);
    for (int32_t k = 0; k < o->width; k++)
        for (int32_t r = 0; r < rows; r++) columns[o->start + k][r] = f->single_sum ? (double)(float)f->start[k] : f->start[k];
    if (rows == 1) one_row(f, o, columns, table, missing);
    else many_rows(f, o, columns, table, rows, missing);
    if (table != (void *)few) free(table);
    return 0;
}
