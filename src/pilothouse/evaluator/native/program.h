/* A compiled model as the kernel holds it: its own checked copy of every array, and no Python. */
#ifndef PILOTHOUSE_PROGRAM_H
#define PILOTHOUSE_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { FILL, CONSTANT, APPLY, PAIR, ROW, LOOKUP, ONE_HOT, BINS, LINEAR, PRODUCTS, DISTANCES, INTERPOLATE, REFUSE, TREES, CODES };
enum { ADD, SUBTRACT, MULTIPLY, DIVIDE, MINIMUM, MAXIMUM, GREATER, GREATER_EQUAL, EQUAL, POWER, BINARIES };
enum {
    MISSING, ABSOLUTE, NEGATIVE, SQUARE, SQUARE_ROOT, EXP, EXPM1, LOG, LOG1P, LOGISTIC, TANH, SINGLE,
    LOG2, LOG10, SIN, COS, CUBE_ROOT, SIGN, FLOOR, CEILING, ROUND, EXP2, UNARIES
};
enum { SOFTMAX, SHARES, ARGMAX, ARGMIN, SUM, LOG_SHARES, LENGTH, GREATEST, ACROSSES };
enum { REFUSE_MISSING, REFUSE_INFINITE, REFUSE_BEYOND_SINGLE, REFUSE_NEGATIVE, REFUSE_UNSEEN, REFUSALS };
enum { MAXIMUM_COLUMNS = 1 << 17, FLOAT_ARRAYS = 3, INT_ARRAYS = 8, ANSWERED = -1, NO_MEMORY = -2 };

/* The place of `feature` in the source, and what else a node says. */
enum { FEATURE_BITS = 0x0fffffff, MISSING_LEFT = 0x40000000, OF_CATEGORIES = 0x20000000 };

typedef struct {
    float threshold;
    uint32_t feature;
    int32_t child; /* the left one; the right one stands behind it; a leaf is its own child */
} SingleNode;

typedef struct {
    double threshold;
    uint32_t feature;
    int32_t child;
} DoubleNode;

typedef struct {
    int32_t trees, nodes, leaf_width;
    int single, single_sum, with_categories;
    int32_t *roots, *targets;
    SingleNode *singles;
    DoubleNode *doubles;
    int32_t *leaf; /* of a leaf its row of leaves, of a node of categories its first word */
    int32_t *sizes; /* of a node of categories how many words it has */
    const double *leaves, *start;
    const uint32_t *words;
} Forest;

typedef struct {
    int code, mode, dense; /* dense: a table's keys are 0, 1, 2, ... */
    int32_t sources, start, width, leaf_width;
    int32_t *source;
    double *floats[FLOAT_ARRAYS];
    size_t float_sizes[FLOAT_ARRAYS];
    int32_t *ints[INT_ARRAYS];
    size_t int_sizes[INT_ARRAYS];
    Forest *forest;
} Operation;

typedef struct {
    int32_t inputs, columns, operations;
    Operation *operation;
} Program;

/* NULL, or what does not fit. The operation reads columns below `start`. */
const char *operation_check(Operation *operation);
void operation_clear(Operation *operation);
const char *forest_make(Operation *operation);
void forest_free(Forest *forest);

/* Evaluates rows; `columns` holds a place of `rows` numbers for each column, those of the inputs filled. Gives ANSWERED,
   NO_MEMORY, or the number of the operation that refused the row that it leaves in `refused`. */
int program_run(const Program *program, double **columns, int32_t rows, int32_t *refused);
int forest_run(const Operation *operation, double **columns, int32_t rows);

#endif
