/* The kernel as Python sees it: one type, Program. The limited API of Python 3.11, so that one wheel fits all later ones. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

enum { UNFIT = -3, NUMBER = 0, TEXT, BOOLEAN, FEWEST_ROWS = 64, MOST_ROWS = 4096, MANY_NODES = 1 << 16 };
static const long long EXACT = 1LL << 53;

typedef struct {
    PyObject_HEAD
    Program program;
    int32_t outputs;
    int *kinds;
    PyObject **words;  /* of each input of text: a dict from word to code */
    PyObject **labels; /* of each output: a tuple, or NULL */
    int32_t *output;
    double *cells, **columns; /* of one row; used only while the interpreter is held */
} ProgramObject;

static PyObject *invalid(const char *problem, Py_ssize_t at) {
    PyErr_Format(PyExc_ValueError, "operation %zd: %s", at, problem);
    return NULL;
}

/* A copy of a contiguous buffer; its elements must have the size that is asked for. */
static void *copied(PyObject *from, size_t item, size_t *count) {
    Py_buffer view;
    if (PyObject_GetBuffer(from, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)) return NULL;
    void *made = NULL;
    if ((size_t)view.itemsize != item) PyErr_SetString(PyExc_ValueError, "an array has elements of another size");
    else if (!(made = malloc(view.len ? (size_t)view.len : 1))) PyErr_NoMemory();
    else {
        memcpy(made, view.buf, (size_t)view.len);
        *count = (size_t)view.len / item;
    }
    PyBuffer_Release(&view);
    return made;
}

static int arrays(PyObject *from, Py_ssize_t most, size_t item, void **into, size_t *sizes) {
    if (!PyTuple_Check(from) || PyTuple_Size(from) > most) {
        PyErr_SetString(PyExc_ValueError, "too many arrays");
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_Size(from); i++)
        if (!(into[i] = copied(PyTuple_GetItem(from, i), item, &sizes[i]))) return 0;
    return 1;
}

/* (code, mode, leaf width, width, source, floats, ints) */
static int operation_read(Operation *o, PyObject *from, int32_t start) {
    PyObject *source, *floats, *ints;
    size_t sources;
    if (!PyTuple_Check(from) || !PyArg_ParseTuple(from, "iiiiOOO", &o->code, &o->mode, &o->leaf_width, &o->width, &source, &floats, &ints))
        return 0;
    o->start = start;
    if (!(o->source = copied(source, sizeof(int32_t), &sources))) return 0;
    if (sources > MAXIMUM_COLUMNS) {
        PyErr_SetString(PyExc_ValueError, "too many sources");
        return 0;
    }
    o->sources = (int32_t)sources;
    return arrays(floats, FLOAT_ARRAYS, sizeof(double), (void **)o->floats, o->float_sizes)
        && arrays(ints, INT_ARRAYS, sizeof(int32_t), (void **)o->ints, o->int_sizes);
}

/* A missing array stands for an empty one, so that no check meets NULL. */
static int complete(Operation *o) {
    for (int i = 0; i < FLOAT_ARRAYS; i++)
        if (!o->floats[i] && !(o->floats[i] = calloc(1, sizeof(double)))) return 0;
    for (int i = 0; i < INT_ARRAYS; i++)
        if (!o->ints[i] && !(o->ints[i] = calloc(1, sizeof(int32_t)))) return 0;
    return 1;
}

static int operations_read(ProgramObject *self, PyObject *from) {
    Program *p = &self->program;
    Py_ssize_t count = PyList_Size(from);
    if (count < 0 || !(p->operation = calloc((size_t)count + 1, sizeof *p->operation))) return 0;
    p->columns = p->inputs;
    for (Py_ssize_t i = 0; i < count; i++) {
        Operation *o = &p->operation[i];
        p->operations = (int32_t)i + 1;
        if (!operation_read(o, PyList_GetItem(from, i), p->columns)) {
            if (!PyErr_Occurred()) invalid("no operation", i);
            return 0;
        }
        if (!complete(o)) {
            PyErr_NoMemory();
            return 0;
        }
        const char *problem = operation_check(o);
        if (problem) {
            invalid(problem, i);
            return 0;
        }
        p->columns += o->width;
    }
    return 1;
}

/* [(kind, words or None)] */
static int inputs_read(ProgramObject *self, PyObject *from) {
    Py_ssize_t count = PyList_Size(from);
    if (count < 1 || count > MAXIMUM_COLUMNS) {
        PyErr_SetString(PyExc_ValueError, "inputs");
        return 0;
    }
    self->kinds = calloc((size_t)count, sizeof *self->kinds);
    self->words = calloc((size_t)count, sizeof *self->words);
    if (!self->kinds || !self->words) return PyErr_NoMemory() != NULL;
    self->program.inputs = (int32_t)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *words;
        if (!PyArg_ParseTuple(PyList_GetItem(from, i), "iO", &self->kinds[i], &words)) return 0;
        if (self->kinds[i] < NUMBER || self->kinds[i] > BOOLEAN || (self->kinds[i] == TEXT && !PyDict_CheckExact(words))) {
            PyErr_SetString(PyExc_ValueError, "inputs");
            return 0;
        }
        Py_INCREF(words);
        self->words[i] = words;
    }
    return 1;
}

/* [(column, labels or None)] */
static int outputs_read(ProgramObject *self, PyObject *from) {
    Py_ssize_t count = PyList_Size(from);
    if (count < 0 || count > MAXIMUM_COLUMNS) {
        PyErr_SetString(PyExc_ValueError, "outputs");
        return 0;
    }
    self->labels = calloc((size_t)count + 1, sizeof *self->labels);
    self->output = calloc((size_t)count + 1, sizeof *self->output);
    if (!self->labels || !self->output) return PyErr_NoMemory() != NULL;
    self->outputs = (int32_t)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *labels;
        if (!PyArg_ParseTuple(PyList_GetItem(from, i), "iO", &self->output[i], &labels)) return 0;
        if (self->output[i] < 0 || self->output[i] >= self->program.columns || (labels != Py_None && !PyTuple_Check(labels))) {
            PyErr_SetString(PyExc_ValueError, "outputs");
            return 0;
        }
        if (labels == Py_None) continue;
        Py_INCREF(labels);
        self->labels[i] = labels;
    }
    return 1;
}

static int row_reserve(ProgramObject *self) {
    size_t columns = (size_t)self->program.columns;
    self->cells = calloc(columns, sizeof *self->cells);
    self->columns = calloc(columns, sizeof *self->columns);
    if (!self->cells || !self->columns) return PyErr_NoMemory() != NULL;
    for (size_t i = 0; i < columns; i++) self->columns[i] = self->cells + i;
    return 1;
}

static PyObject *program_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    PyObject *inputs, *operations, *outputs;
    (void)keywords;
    if (!PyArg_ParseTuple(arguments, "O!O!O!", &PyList_Type, &inputs, &PyList_Type, &operations, &PyList_Type, &outputs)) return NULL;
    allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    ProgramObject *self = (ProgramObject *)alloc(type, 0);
    if (!self) return NULL;
    if (inputs_read(self, inputs) && operations_read(self, operations) && outputs_read(self, outputs) && row_reserve(self))
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static void program_dealloc(PyObject *object) {
    ProgramObject *self = (ProgramObject *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (int32_t i = 0; i < self->program.operations; i++) operation_clear(&self->program.operation[i]);
    for (int32_t i = 0; self->words && i < self->program.inputs; i++) Py_XDECREF(self->words[i]);
    for (int32_t i = 0; i < self->outputs; i++) Py_XDECREF(self->labels[i]);
    free(self->program.operation);
    free(self->kinds);
    free(self->words);
    free(self->labels);
    free(self->output);
    free(self->cells);
    free(self->columns);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

/* Only exact types, so that no foreign code runs meanwhile. Gives 0 where the value does not fit; no error is left behind. */
static int number(PyObject *value, double *into) {
    if (PyFloat_Check(value)) *into = PyFloat_AsDouble(value);
    else if (value == Py_None) *into = Py_NAN;
    else if (PyLong_CheckExact(value)) {
        int overflow;
        long long whole = PyLong_AsLongLongAndOverflow(value, &overflow);
        *into = (double)whole;
        return !overflow && whole >= -EXACT && whole <= EXACT;
    } else return 0;
    return 1;
}

static int code(PyObject *words, PyObject *value, double *into) {
    if (PyUnicode_CheckExact(value)) {
        PyObject *found = PyDict_GetItemWithError(words, value);
        *into = found ? PyFloat_AsDouble(found) : -1.0;
    } else if (value == Py_None) *into = Py_NAN;
    else if (PyFloat_CheckExact(value) && PyFloat_AsDouble(value) != PyFloat_AsDouble(value)) *into = Py_NAN;
    else return 0;
    return 1;
}

static int truth(PyObject *value, double *into) {
    if (value == Py_True) *into = 1.0;
    else if (value == Py_False) *into = 0.0;
    else if (value == Py_None) *into = Py_NAN;
    else if (PyFloat_CheckExact(value)) {
        *into = PyFloat_AsDouble(value);
        return *into != *into;
    } else return 0;
    return 1;
}

static int cell(const ProgramObject *self, Py_ssize_t i, PyObject *value, double *into) {
    switch (self->kinds[i]) {
    case NUMBER: return number(value, into);
    case TEXT: return code(self->words[i], value, into);
    default: return truth(value, into);
    }
}

/* Fills `made`; no container is made here, so no collection runs foreign code while the cells hold this row. */
static int answers(const ProgramObject *self, PyObject *made) {
    for (int32_t i = 0; i < self->outputs; i++) {
        double y = self->cells[self->output[i]];
        PyObject *item;
        if (self->labels[i]) {
            Py_ssize_t size = PyTuple_Size(self->labels[i]);
            if (!(y >= 0 && y < (double)size)) {
                PyErr_SetString(PyExc_IndexError, "an answer has no label");
                item = NULL;
            } else {
                item = PyTuple_GetItem(self->labels[i], (Py_ssize_t)y);
                Py_XINCREF(item);
            }
        } else item = PyFloat_FromDouble(y);
        if (!item) return 0;
        PyTuple_SetItem(made, i, item);
    }
    return 1;
}

/* Gives ANSWERED, NO_MEMORY, the number of the operation that refuses the row, or UNFIT less the input whose value does not fit. */
static int evaluated(ProgramObject *self, PyObject *values, int is_list) {
    int32_t refused;
    for (int32_t i = 0; i < self->program.inputs; i++) {
        PyObject *value = is_list ? PyList_GetItem(values, i) : PyTuple_GetItem(values, i);
        if (!value) PyErr_Clear();
        if (!value || !cell(self, i, value, &self->cells[i])) return UNFIT - i;
    }
    return program_run(&self->program, self->columns, 1, &refused);
}

/* Gives a tuple; or the number of the operation that refuses the row; or -1 - i for input i, whose value does not fit. */
static PyObject *program_row(PyObject *object, PyObject *values) {
    ProgramObject *self = (ProgramObject *)object;
    int is_list = PyList_Check(values);
    if (!is_list && !PyTuple_Check(values)) {
        PyErr_SetString(PyExc_TypeError, "a row is a list or a tuple");
        return NULL;
    }
    Py_ssize_t size = is_list ? PyList_Size(values) : PyTuple_Size(values);
    if (size != self->program.inputs) {
        PyErr_Format(PyExc_IndexError, "%zd values for %d inputs", size, (int)self->program.inputs);
        return NULL;
    }
    PyObject *made = PyTuple_New(self->outputs);
    if (!made) return NULL;
    int ended = evaluated(self, values, is_list);
    if (ended == ANSWERED && answers(self, made)) return made;
    Py_DECREF(made);
    if (ended == NO_MEMORY) return PyErr_NoMemory();
    if (ended == ANSWERED) return NULL;
    return PyLong_FromLong(ended <= UNFIT ? ended - UNFIT - 1 : ended);
}

/* coded(input, values: list, into): gives -1, or the place of the value that does not fit. */
static PyObject *program_coded(PyObject *object, PyObject *arguments) {
    ProgramObject *self = (ProgramObject *)object;
    Py_ssize_t input, bad = -1;
    PyObject *values, *target;
    Py_buffer into;
    if (!PyArg_ParseTuple(arguments, "nO!O", &input, &PyList_Type, &values, &target)) return NULL;
    if (PyObject_GetBuffer(target, &into, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)) return NULL;
    if (input < 0 || input >= self->program.inputs || into.itemsize != sizeof(double)
        || into.len / (Py_ssize_t)sizeof(double) != PyList_Size(values)) {
        PyBuffer_Release(&into);
        PyErr_SetString(PyExc_ValueError, "no such input, or another length");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < into.len / (Py_ssize_t)sizeof(double); i++) {
        PyObject *value = PyList_GetItem(values, i);
        if (!value) PyErr_Clear();
        if (!value || !cell(self, input, value, (double *)into.buf + i)) {
            bad = i;
            break;
        }
    }
    PyBuffer_Release(&into);
    return PyLong_FromSsize_t(bad);
}

typedef struct {
    Py_ssize_t rows, refused;
    int ended;
    const double **inputs;
    double **outputs;
} Block;

/* Columns should stay in the second cache; but a great forest is itself read anew for each block, and wants more rows for it
   (measured with 100 trees of 10,000 nodes: 1300 rows at a time 7.5 us a row, 4096 rows 5.0). */
static Py_ssize_t rows_at_a_time(const Program *p) {
    Py_ssize_t bytes = 1 << 20;
    for (int32_t i = 0; i < p->operations; i++)
        if (p->operation[i].forest && p->operation[i].forest->nodes > MANY_NODES) bytes = 1 << 22;
    Py_ssize_t rows = bytes / (Py_ssize_t)sizeof(double) / p->columns;
    return rows < FEWEST_ROWS ? FEWEST_ROWS : rows > MOST_ROWS ? MOST_ROWS : rows;
}

/* Runs without the interpreter. */
static void block_run(const ProgramObject *self, Block *block) {
    const Program *p = &self->program;
    Py_ssize_t most = rows_at_a_time(p);
    if (most > block->rows) most = block->rows;
    double *cells = malloc(sizeof *cells * (size_t)(p->columns - p->inputs + 1) * (size_t)(most ? most : 1));
    double **columns = malloc(sizeof *columns * (size_t)p->columns);
    block->ended = cells && columns ? ANSWERED : NO_MEMORY;
    for (Py_ssize_t from = 0; block->ended == ANSWERED && from < block->rows; from += most) {
        int32_t rows = (int32_t)(block->rows - from < most ? block->rows - from : most), refused = 0;
        /* No operation writes to a column of an input. */
        for (int32_t i = 0; i < p->columns; i++)
            columns[i] = i < p->inputs ? (double *)block->inputs[i] + from : cells + (size_t)(i - p->inputs) * (size_t)most;
        block->ended = program_run(p, columns, rows, &refused);
        block->refused = from + refused;
        for (int32_t i = 0; block->ended == ANSWERED && i < self->outputs; i++)
            memcpy(block->outputs[i] + from, columns[self->output[i]], sizeof(double) * (size_t)rows);
    }
    free(cells);
    free(columns);
}

static int views_take(PyObject *list, Py_ssize_t count, int flags, Py_ssize_t rows, Py_buffer *views, Py_ssize_t *taken) {
    for (; *taken < count; ++*taken) {
        PyObject *item = PyList_GetItem(list, *taken);
        if (!item || PyObject_GetBuffer(item, &views[*taken], flags)) return 0;
        if (views[*taken].itemsize != sizeof(double) || views[*taken].len / (Py_ssize_t)sizeof(double) != rows) {
            ++*taken;
            PyErr_SetString(PyExc_ValueError, "a column has another length or type");
            return 0;
        }
    }
    return 1;
}

static PyObject *blocked(const ProgramObject *self, Block *block, Py_buffer *given, Py_buffer *made) {
    PyObject *answer = NULL;
    block->inputs = malloc(sizeof *block->inputs * (size_t)self->program.inputs);
    block->outputs = malloc(sizeof *block->outputs * ((size_t)self->outputs + 1));
    if (block->inputs && block->outputs) {
        for (int32_t i = 0; i < self->program.inputs; i++) block->inputs[i] = given[i].buf;
        for (int32_t i = 0; i < self->outputs; i++) block->outputs[i] = made[i].buf;
        Py_BEGIN_ALLOW_THREADS
        block_run(self, block);
        Py_END_ALLOW_THREADS
        if (block->ended != NO_MEMORY) answer = Py_BuildValue("in", block->ended, block->refused);
    }
    if (!answer && !PyErr_Occurred()) PyErr_NoMemory();
    free((void *)block->inputs);
    free(block->outputs);
    return answer;
}

/* block(rows, inputs, outputs): gives (-1, any), or (number of the operation, row that it refuses). */
static PyObject *program_block(PyObject *object, PyObject *arguments) {
    ProgramObject *self = (ProgramObject *)object;
    PyObject *inputs, *outputs, *answer = NULL;
    Block block = {0};
    Py_ssize_t given = 0, made = 0;
    if (!PyArg_ParseTuple(arguments, "nO!O!", &block.rows, &PyList_Type, &inputs, &PyList_Type, &outputs)) return NULL;
    if (block.rows < 0 || PyList_Size(inputs) != self->program.inputs || PyList_Size(outputs) != self->outputs) {
        PyErr_SetString(PyExc_ValueError, "another number of columns");
        return NULL;
    }
    Py_buffer *views = calloc((size_t)self->program.inputs + (size_t)self->outputs, sizeof *views);
    if (!views) return PyErr_NoMemory();
    Py_buffer *targets = views + self->program.inputs;
    if (views_take(inputs, self->program.inputs, PyBUF_C_CONTIGUOUS, block.rows, views, &given)
        && views_take(outputs, self->outputs, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE, block.rows, targets, &made))
        answer = blocked(self, &block, views, targets);
    while (given) PyBuffer_Release(&views[--given]);
    while (made) PyBuffer_Release(&targets[--made]);
    free(views);
    return answer;
}

static PyMethodDef METHODS[] = {
    {"row", program_row, METH_O, "Evaluate one row."},
    {"block", program_block, METH_VARARGS, "Evaluate many rows."},
    {"coded", program_coded, METH_VARARGS, "Turn a column of Python values into numbers."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_new, program_new},
    {Py_tp_dealloc, program_dealloc},
    {Py_tp_methods, METHODS},
    {Py_tp_doc, "A compiled model, its arrays checked and copied."},
    {0, NULL},
};

static PyType_Spec SPEC = {"pilothouse.evaluator._kernel.Program", sizeof(ProgramObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, SLOTS};

static int module_fill(PyObject *module) {
    PyObject *type = PyType_FromSpec(&SPEC);
    int failed = type ? PyModule_AddObjectRef(module, "Program", type) : -1;
    Py_XDECREF(type);
    return failed;
}

static PyModuleDef_Slot MODULE_SLOTS[] = {{Py_mod_exec, module_fill}, {0, NULL}};
static PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_kernel", "Evaluates compiled models.", 0, NULL, MODULE_SLOTS, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernel(void) {
    return PyModuleDef_Init(&MODULE);
}
