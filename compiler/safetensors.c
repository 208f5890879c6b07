// safetensors.c - named tensors in a file.
//
//   8 bytes: length N of the header, little endian | N bytes: JSON | data
//   {"__metadata__": {"key": "value"}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets":
//   [0, 24]}, ...}
//
// In: any bytes.  Out: tensors that are known to fit: every byte of the data belongs to exactly one
// of them. Each tensor is copied to aligned memory, as the format promises no alignment. Source:
// the format's description, https://github.com/huggingface/safetensors.

#include "json.h"
#include "nagoc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const dtype_name[] = {"F32", "F64", "I64", "I32", "U8"};
static const int dtype_bytes[] = {4, 8, 8, 4, 1};

#define MAX_HEADER ((size_t)100 << 20) // as the reference implementation has it
#define MAX_FILE ((size_t)16 << 30)
enum { MAX_VALUES = 8000000, MAX_RANK = 8 };

// ---- reading
// -------------------------------------------------------------------------------------

typedef struct {
    uint64_t begin, end; // in the data
    StoredTensor tensor;
    const JsonValue *value;
} Entry;

typedef struct {
    JsonFile header;
    const unsigned char *data;
    uint64_t data_bytes;
    Entry *entries;
    size_t n_entries;
    Pool *pool;
    Err *err;
} Reader;

NAGO_PRINTF(3, 4)
static bool fault(Reader *reader, const Entry *entry, const char *fmt, ...)
{
    char message[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return json_error(&reader->header, entry->value->offset, "", reader->err,
                      "tensor \"%.100s\": %s", entry->tensor.name, message);
}

static bool read_dtype(Reader *reader, Entry *entry, const JsonValue *value)
{
    if (!value || value->kind != JSON_STRING)
        return fault(reader, entry, "\"dtype\" must be a string");
    for (size_t i = 0; i < COUNT_OF(dtype_name); i++) {
        if (strcmp(value->string, dtype_name[i]) == 0) {
            entry->tensor.dtype = (Dtype)i;
            return true;
        }
    }
    return fault(
        reader, entry,
        "dtype \"%.20s\" is not supported; store it as F32 (F64, I64, I32, U8 are read too)",
        value->string);
}

static bool read_shape(Reader *reader, Entry *entry, const JsonValue *value)
{
    StoredTensor *tensor = &entry->tensor;
    if (!value || value->kind != JSON_ARRAY)
        return fault(reader, entry, "\"shape\" must be an array");
    if (value->count > MAX_RANK)
        return fault(reader, entry, "has %d dimensions, at most %d are read", value->count,
                     MAX_RANK);
    bool empty = false;
    for (const JsonValue *side = value->child; side; side = side->next) {
        if (!json_integer(&reader->header, side, "a side of \"shape\"", 0, INT64_C(1) << 52, "",
                          &tensor->shape[tensor->rank], reader->err))
            return false;
        empty = empty || tensor->shape[tensor->rank] == 0;
        tensor->rank++;
    }
    tensor->count = empty ? 0 : 1;
    for (int i = 0; i < tensor->rank && !empty; i++) {
        if (tensor->shape[i] > INT64_MAX / 16 / tensor->count)
            return fault(reader, entry, "its shape has more than 2^59 elements");
        tensor->count *= tensor->shape[i];
    }
    return true;
}

static bool read_offsets(Reader *reader, Entry *entry, const JsonValue *value)
{
    const StoredTensor *tensor = &entry->tensor;
    if (!value || value->kind != JSON_ARRAY || value->count != 2)
        return fault(reader, entry, "\"data_offsets\" must be [begin, end]");
    int64_t offset[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        const JsonValue *number = i ? value->child->next : value->child;
        if (!json_integer(&reader->header, number, "an offset", 0, INT64_C(1) << 52, "", &offset[i],
                          reader->err))
            return false;
    }
    entry->begin = (uint64_t)offset[0];
    entry->end = (uint64_t)offset[1];
    if (entry->end < entry->begin)
        return fault(reader, entry, "data_offsets end before they begin");
    if (entry->end > reader->data_bytes)
        return fault(reader, entry, "its data end at byte %llu of %llu: the file is truncated",
                     (unsigned long long)entry->end, (unsigned long long)reader->data_bytes);
    uint64_t bytes = (uint64_t)tensor->count * (uint64_t)dtype_bytes[tensor->dtype];
    if (entry->end - entry->begin != bytes)
        return fault(reader, entry, "dtype and shape need %llu bytes, data_offsets give %llu",
                     (unsigned long long)bytes, (unsigned long long)(entry->end - entry->begin));
    return true;
}

static bool read_tensor(Reader *reader, const JsonValue *value)
{
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};
    Entry *entry = &reader->entries[reader->n_entries++];
    entry->value = value;
    entry->tensor.name = value->key;
    if (value->kind != JSON_OBJECT)
        return fault(reader, entry, "must be an object with dtype, shape and data_offsets");
    return json_keys(&reader->header, value, "a tensor", keys, COUNT_OF(keys), reader->err) &&
           read_dtype(reader, entry, json_find(value, "dtype")) &&
           read_shape(reader, entry, json_find(value, "shape")) &&
           read_offsets(reader, entry, json_find(value, "data_offsets"));
}

static bool read_metadata(Reader *reader, const JsonValue *object, TensorFile *file)
{
    if (!json_is(&reader->header, object, JSON_OBJECT, "\"__metadata__\"", "", reader->err))
        return false;
    file->keys = pool_alloc(reader->pool, (size_t)object->count * sizeof *file->keys);
    file->values = pool_alloc(reader->pool, (size_t)object->count * sizeof *file->values);
    for (const JsonValue *value = object->child; value; value = value->next) {
        if (!json_is(&reader->header, value, JSON_STRING, "a value of \"__metadata__\"", "",
                     reader->err))
            return false;
        file->keys[file->n_metadata] = value->key;
        file->values[file->n_metadata++] = value->string;
    }
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const StoredTensor *)a)->name, ((const StoredTensor *)b)->name);
}

// Each byte of the data must belong to exactly one tensor.
static bool data_covered(Reader *reader)
{
    uint64_t reached = 0;
    if (reader->n_entries)
        qsort(reader->entries, reader->n_entries, sizeof *reader->entries, by_offset);
    for (size_t i = 0; i < reader->n_entries; i++) {
        const Entry *entry = &reader->entries[i];
        if (entry->begin != reached)
            return fault(reader, entry,
                         "its data begin at byte %llu, the tensor before ends at %llu (%s)",
                         (unsigned long long)entry->begin, (unsigned long long)reached,
                         entry->begin < reached ? "they overlap" : "a gap");
        reached = entry->end;
    }
    if (reached != reader->data_bytes)
        return err_input(reader->err, "%s: error: %llu bytes after the last tensor belong to none",
                         reader->header.path, (unsigned long long)(reader->data_bytes - reached));
    return true;
}

static void tensors_copy(Reader *reader, TensorFile *file)
{
    file->tensors = pool_alloc(reader->pool, reader->n_entries * sizeof *file->tensors);
    for (size_t i = 0; i < reader->n_entries; i++) {
        const Entry *entry = &reader->entries[i];
        size_t bytes = (size_t)(entry->end - entry->begin);
        void *data = pool_alloc(reader->pool, bytes);
        if (bytes)
            memcpy(data, reader->data + entry->begin, bytes);
        file->tensors[i] = entry->tensor;
        file->tensors[i].data = data;
    }
    file->n_tensors = (int)reader->n_entries;
    if (file->n_tensors)
        qsort(file->tensors, reader->n_entries, sizeof *file->tensors, by_name);
}

// Copies the header, so that it ends in a NUL, without the blanks that pad it.
static bool header_parse(Reader *reader, const char *path, const unsigned char *bytes, size_t size)
{
    Err *err = reader->err;
    if (size < 8)
        return err_input(err,
                         "%s: error: %zu bytes are no safetensors file: it starts with the 8-byte "
                         "length of its header",
                         path, size);
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | bytes[i];
    if (length > size - 8)
        return err_input(err,
                         "%s: error: the header claims %llu bytes, %zu follow: truncated, or no "
                         "safetensors file",
                         path, (unsigned long long)length, size - 8);
    if (length > MAX_HEADER)
        return err_input(err, "%s: error: the header has %llu bytes, at most %zu are read", path,
                         (unsigned long long)length, MAX_HEADER);
    char *text = pool_alloc(reader->pool, (size_t)length + 1);
    memcpy(text, bytes + 8, (size_t)length);
    reader->header =
        (JsonFile){.path = path, .text = text, .size = (size_t)length, .binary = true, .base = 8};
    reader->data = bytes + 8 + length;
    reader->data_bytes = size - 8 - length;
    return json_parse(&reader->header, MAX_VALUES, reader->pool, err) &&
           json_is(&reader->header, reader->header.root, JSON_OBJECT, "the header", "", err);
}

bool tensors_parse(const char *path, const void *bytes, size_t size, TensorFile *file, Pool *pool,
                   Err *err)
{
    Reader reader = {.pool = pool, .err = err};
    *file = (TensorFile){0};
    if (!header_parse(&reader, pool_strdup(pool, path), bytes, size))
        return false;
    const JsonValue *root = reader.header.root;
    reader.entries = pool_alloc(pool, (size_t)root->count * sizeof *reader.entries);
    for (const JsonValue *value = root->child; value; value = value->next) {
        bool metadata = strcmp(value->key, "__metadata__") == 0;
        if (metadata ? !read_metadata(&reader, value, file) : !read_tensor(&reader, value))
            return false;
    }
    if (!data_covered(&reader))
        return false;
    tensors_copy(&reader, file);
    return true;
}

bool tensors_read(const char *path, TensorFile *file, Pool *pool, Err *err)
{
    char *bytes;
    size_t size;
    if (!file_read(path, MAX_FILE, &bytes, &size, err))
        return false;
    bool done = tensors_parse(path, bytes, size, file, pool, err);
    free(bytes);
    return done;
}

// ---- looking up
// ----------------------------------------------------------------------------------

const StoredTensor *tensors_find(const TensorFile *file, const char *name)
{
    StoredTensor key = {.name = name};
    if (!file->n_tensors)
        return NULL;
    return bsearch(&key, file->tensors, (size_t)file->n_tensors, sizeof key, by_name);
}

const char *tensors_metadata(const TensorFile *file, const char *key)
{
    for (int i = 0; i < file->n_metadata; i++) {
        if (strcmp(file->keys[i], key) == 0)
            return file->values[i];
    }
    return NULL;
}

double tensor_value(const StoredTensor *tensor, int64_t index)
{
    if (index < 0 || index >= tensor->count)
        bug("element %lld of \"%s\" (%lld elements)", (long long)index, tensor->name,
            (long long)tensor->count);
    const char *at = (const char *)tensor->data + index * dtype_bytes[tensor->dtype];
    float f32;
    double f64;
    int64_t i64;
    int32_t i32;
    switch (tensor->dtype) {
    case DTYPE_F32:
        memcpy(&f32, at, sizeof f32);
        return (double)f32;
    case DTYPE_F64:
        memcpy(&f64, at, sizeof f64);
        return f64;
    case DTYPE_I64:
        memcpy(&i64, at, sizeof i64);
        return (double)i64;
    case DTYPE_I32:
        memcpy(&i32, at, sizeof i32);
        return (double)i32;
    case DTYPE_U8:
        return (double)*(const unsigned char *)at;
    case DTYPE_I8:
    case DTYPE_I16:
        break;
    }
    bug("dtype %d", (int)tensor->dtype);
}

// ---- writing
// -------------------------------------------------------------------------------------

// A JSON string.  Bytes that are no UTF-8 (a folder's name may hold any) become U+FFFD.
static void string_print(const char *string, Text *out)
{
    text_puts(out, "\"");
    for (const char *c = string; *c;) {
        size_t length = utf8_length(c, strlen(c));
        if (length == 0)
            text_puts(out, "\xEF\xBF\xBD");
        else if (*c == '"' || *c == '\\')
            text_printf(out, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            text_printf(out, "\\u%04x", (unsigned)*c);
        else
            text_add(out, c, length);
        c += length ? length : 1;
    }
    text_puts(out, "\"");
}

static void header_print(const TensorFile *file, Text *out)
{
    int64_t offset = 0;
    text_puts(out, "{");
    if (file->n_metadata)
        text_puts(out, "\"__metadata__\":{");
    for (int i = 0; i < file->n_metadata; i++) {
        text_puts(out, i ? "," : "");
        string_print(file->keys[i], out);
        text_puts(out, ":");
        string_print(file->values[i], out);
    }
    if (file->n_metadata)
        text_puts(out, "}");
    for (int i = 0; i < file->n_tensors; i++) {
        const StoredTensor *tensor = &file->tensors[i];
        int64_t end = offset + tensor->count * dtype_bytes[tensor->dtype];
        text_puts(out, i || file->n_metadata ? "," : "");
        string_print(tensor->name, out);
        text_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", dtype_name[tensor->dtype]);
        for (int side = 0; side < tensor->rank; side++)
            text_printf(out, "%s%lld", side ? "," : "", (long long)tensor->shape[side]);
        text_printf(out, "],\"data_offsets\":[%lld,%lld]}", (long long)offset, (long long)end);
        offset = end;
    }
    text_puts(out, "}");
    while (out->length % 8) // so that the data start aligned
        text_puts(out, " ");
}

void tensors_print(const TensorFile *file, Text *out)
{
    Text header = {0};
    header_print(file, &header);
    for (int i = 0; i < 8; i++) {
        char byte = (char)((uint64_t)header.length >> (8 * i) & 0xFF);
        text_add(out, &byte, 1);
    }
    text_add(out, header.data, header.length);
    text_free(&header);
    for (int i = 0; i < file->n_tensors; i++) {
        const StoredTensor *tensor = &file->tensors[i];
        text_add(out, tensor->data, (size_t)(tensor->count * dtype_bytes[tensor->dtype]));
    }
}

bool tensors_write(const char *path, const TensorFile *file, Err *err)
{
    Text bytes = {0};
    tensors_print(file, &bytes);
    bool done = file_write(path, bytes.data, bytes.length, err);
    text_free(&bytes);
    return done;
}
