/*
 * export.h
 *	  First include of every file on this floor, in place of postgres.h.
 *
 * The module is compiled with hidden symbols, since the server loads it
 * RTLD_GLOBAL. PostgreSQL 15 has no visibility in PGDLLEXPORT, so it is set
 * before postgres.h can set it.
 */
#ifndef DYN_EXPORT_H
#define DYN_EXPORT_H

#ifndef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

#include "postgres.h"

#endif							/* DYN_EXPORT_H */
