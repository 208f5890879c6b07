// study_sqlite.h - what study.c and study_trials.c share: statements of one SQLite connection.
#ifndef NAGO_STUDY_SQLITE_H
#define NAGO_STUDY_SQLITE_H

#include "study.h"

#include <sqlite3.h>

struct Study {
    Pool *pool;
    const char *path, *folder;
    sqlite3 *db;
};

// The connection's last error as a message for the user; `what`: "cannot WHAT".
bool study_error(Study *study, const char *what, Err *err);

// NULL on error.  Every statement is finalized by its user, or by study_finish.
sqlite3_stmt *study_prepare(Study *study, const char *sql, Err *err);
bool study_step(Study *study, sqlite3_stmt *statement, bool *is_row, const char *what, Err *err);
bool study_finish(Study *study, sqlite3_stmt *statement, const char *what, Err *err);
bool study_execute(Study *study, const char *sql, const char *what, Err *err);
void study_bind(sqlite3_stmt *statement, int place, const char *text);
const char *study_column(sqlite3_stmt *statement, int column, Pool *pool);

// Begins a transaction that writes; ends it, undone unless `ok`.
bool study_transact(Study *study, Err *err);
bool study_commit(Study *study, bool ok, Err *err);

// "[0.25, 1]", 17 digits, which read back exactly; the reverse (NULL and 0 for no list of numbers).
void numbers_print(const double *numbers, int count, Text *out);
const double *numbers_read(const char *text, int *count, Pool *pool);

#endif
