/*
 * golden.h
 *	  Reads the files of ../data, or of $DYN_TEST_DATA.
 *
 * What cannot be read ends the program: a test without its data is no test.
 */
#ifndef DYN_GOLDEN_H
#define DYN_GOLDEN_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

/* A file's bytes, NUL-terminated beyond `len`; the caller frees. */
extern char *golden_read(const char *file, size_t *len);

/* A JSON file; the caller puts. */
extern json_object *golden_json(const char *file);

/* Any JSON text; the caller puts. */
extern json_object *golden_parse(const char *text, size_t len);

/* A member of an object, or of one inside it ("feature_view.schema"); borrowed, NULL where there is none. */
extern json_object *golden_get(json_object *object, const char *path);
extern const char *golden_text(json_object *object, const char *path);
extern int64_t golden_int(json_object *object, const char *path);

/* "i"th element of an array member; and their number. */
extern json_object *golden_at(json_object *object, const char *path, size_t i);
extern size_t golden_count(json_object *object, const char *path);

/* Memory of exactly `len` bytes, so that a read beyond them is seen by ASan; the caller frees. */
extern void *golden_copy(const void *data, size_t len);
extern uint8_t *golden_hex(const char *hex, size_t *len);
extern uint8_t *golden_base64(const char *text, size_t *len);

/* JSON written with ' for ", for texts in C; the caller frees. */
extern char *golden_quotes(const char *text);

#endif							/* DYN_GOLDEN_H */
