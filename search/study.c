// study.c - the study store in SQLite: opening, schema and migrations, options, notes, the queue.
//
// In write-ahead mode a reader never waits, a process that is killed between two writes leaves a
// whole database, and one that is killed inside a transaction leaves it undone.  Every change below
// is one transaction.  The trials are in study_trials.c.
#define _GNU_SOURCE
#include "study_sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { APPLICATION_ID = 0x4e41474f, BUSY_MS = 20000 }; // "NAGO"

// Step i brings schema i to schema i + 1.  A step that was released never changes.
static const char *const migrations[STUDY_SCHEMA] = {
    "CREATE TABLE option (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE trial ("
    " id INTEGER PRIMARY KEY,"
    " state TEXT NOT NULL CHECK (state IN ('queued','running','finished','failed','infeasible')),"
    " bracket INTEGER NOT NULL, rung INTEGER NOT NULL, budget REAL NOT NULL,"
    " parent INTEGER REFERENCES trial(id),"
    " point TEXT NOT NULL, params TEXT NOT NULL, reason TEXT NOT NULL,"
    " theta TEXT, draws INTEGER NOT NULL DEFAULT 0,"
    " objectives TEXT, violation REAL NOT NULL DEFAULT 0, measures TEXT, error TEXT,"
    " attempts INTEGER NOT NULL DEFAULT 0, owner TEXT, lease REAL NOT NULL DEFAULT 0,"
    " created REAL NOT NULL, started REAL NOT NULL DEFAULT 0, ended REAL NOT NULL DEFAULT 0,"
    " CHECK ((state = 'finished') <= (objectives IS NOT NULL)));"
    "CREATE TABLE queue (id INTEGER PRIMARY KEY, point TEXT NOT NULL, params TEXT NOT NULL,"
    " source TEXT NOT NULL, trial INTEGER REFERENCES trial(id));"
    "CREATE TABLE shape_time (machine TEXT NOT NULL, shape TEXT NOT NULL, ms REAL NOT NULL,"
    " PRIMARY KEY (machine, shape)) WITHOUT ROWID;",
};

// ---- messages ----------------------------------------------------------------------------------

bool study_error(Study *study, const char *what, Err *err)
{
    int code = sqlite3_errcode(study->db) & 0xff;
    const char *words = sqlite3_errmsg(study->db);
    if (code == SQLITE_NOTADB)
        return err_input(err,
                         "%s: error: no study: not an SQLite database, or one whose first page is "
                         "damaged",
                         study->path);
    if (code == SQLITE_CORRUPT)
        return err_run(err,
                       "%s: error: the study file is damaged: %s\n"
                       "  hint: sqlite3 %s .recover | sqlite3 rescued.db saves what is readable",
                       study->path, words, study->path);
    if (code == SQLITE_FULL || code == SQLITE_IOERR)
        return err_run(err,
                       "%s: error: cannot %s: %s\n"
                       "  hint: what was stored before is safe; make room on the disk and run the "
                       "same command again",
                       study->path, what, words);
    if (code == SQLITE_BUSY)
        return err_run(err,
                       "%s: error: cannot %s: another program has locked the study for %d seconds",
                       study->path, what, BUSY_MS / 1000);
    return err_run(err, "%s: error: cannot %s: %s", study->path, what, words);
}

// ---- statements --------------------------------------------------------------------------------

sqlite3_stmt *study_prepare(Study *study, const char *sql, Err *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(study->db, sql, -1, &statement, NULL) != SQLITE_OK)
        study_error(study, "read the study", err);
    return statement;
}

bool study_step(Study *study, sqlite3_stmt *statement, bool *is_row, const char *what, Err *err)
{
    int code = sqlite3_step(statement);
    *is_row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE || study_error(study, what, err);
}

bool study_finish(Study *study, sqlite3_stmt *statement, const char *what, Err *err)
{
    bool is_row = false, ok = study_step(study, statement, &is_row, what, err);
    sqlite3_finalize(statement);
    return ok;
}

bool study_execute(Study *study, const char *sql, const char *what, Err *err)
{
    return sqlite3_exec(study->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           study_error(study, what, err);
}

bool study_commit(Study *study, bool ok, Err *err)
{
    if (ok && study_execute(study, "COMMIT", "write to the study", err))
        return true;
    sqlite3_exec(study->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

bool study_transact(Study *study, Err *err)
{
    return study_execute(study, "BEGIN IMMEDIATE", "write to the study", err);
}

const char *study_column(sqlite3_stmt *statement, int column, Pool *pool)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text ? pool_strdup(pool, text) : NULL;
}

void study_bind(sqlite3_stmt *statement, int place, const char *text)
{
    sqlite3_bind_text(statement, place, text, -1, SQLITE_TRANSIENT); // NULL binds NULL
}

static bool number_query(Study *study, const char *sql, int64_t *value, Err *err)
{
    sqlite3_stmt *statement = study_prepare(study, sql, err);
    bool is_row = false, ok = statement && study_step(study, statement, &is_row, "read", err);
    *value = ok && is_row ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return ok;
}

// ---- open --------------------------------------------------------------------------------------

static bool later_schema(Study *study, int64_t version, Err *err)
{
    return err_input(err,
                     "%s: error: the study has schema %lld, this nago knows up to %d: it was "
                     "written by a later version",
                     study->path, (long long)version, STUDY_SCHEMA);
}

static bool migrate(Study *study, Err *err)
{
    int64_t version = 0;
    if (!study_transact(study, err))
        return false;
    bool ok = number_query(study, "PRAGMA user_version", &version, err);
    for (int64_t step = version; ok && step < STUDY_SCHEMA; step++) {
        char mark[64];
        snprintf(mark, sizeof mark, "PRAGMA user_version = %d", (int)step + 1);
        ok = study_execute(study, migrations[step], "write to the study", err) &&
             study_execute(study, mark, "write to the study", err);
    }
    char mark[64];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d", APPLICATION_ID);
    ok = ok && study_execute(study, mark, "write to the study", err);
    return study_commit(study, ok, err);
}

// What is in the file: nothing yet, a study, or something else.
static bool schema_check(Study *study, StudyMode mode, Err *err)
{
    int64_t id = 0, version = 0, tables = 0;
    if (!number_query(study, "SELECT count(*) FROM sqlite_master", &tables, err) ||
        !number_query(study, "PRAGMA application_id", &id, err) ||
        !number_query(study, "PRAGMA user_version", &version, err))
        return false;
    if (tables > 0 && id != APPLICATION_ID)
        return err_input(err, "%s: error: a database, but no study of nago search", study->path);
    if (version > STUDY_SCHEMA)
        return later_schema(study, version, err);
    if (tables == 0 && mode != STUDY_CREATE)
        return err_input(err, "%s: error: an empty file, no study", study->path);
    if (version == STUDY_SCHEMA)
        return true;
    if (mode == STUDY_READ)
        return err_input(err,
                         "%s: error: the study has the older schema %lld\n"
                         "  hint: nago search --study %s brings it up to date",
                         study->path, (long long)version, study->path);
    return migrate(study, err);
}

// A page that was overwritten is found now and not after hours.
static bool damage_check(Study *study, Err *err)
{
    sqlite3_stmt *statement = study_prepare(study, "PRAGMA quick_check(1)", err);
    bool is_row = false, ok = statement && study_step(study, statement, &is_row, "read", err);
    const char *words = ok && is_row ? (const char *)sqlite3_column_text(statement, 0) : "ok";
    if (ok && words && strcmp(words, "ok") != 0)
        ok = err_run(err,
                     "%s: error: the study file is damaged: %.200s\n"
                     "  hint: sqlite3 %s .recover | sqlite3 rescued.db saves what is readable",
                     study->path, words, study->path);
    sqlite3_finalize(statement);
    return ok;
}

static bool file_check(const char *path, StudyMode mode, Err *err)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        if (errno == ENOENT && mode == STUDY_CREATE)
            return true;
        return err_input(err, "%s: error: %s%s", path, strerror(errno),
                         errno == ENOENT ? "; nago search --study FILE begins a study" : "");
    }
    if (!S_ISREG(status.st_mode))
        return err_input(err, "%s: error: not a regular file", path);
    return true;
}

static bool database_open(Study *study, StudyMode mode, Err *err)
{
    int flags = SQLITE_OPEN_READWRITE | (mode == STUDY_CREATE ? SQLITE_OPEN_CREATE : 0);
    if (sqlite3_open_v2(study->path, &study->db, flags, NULL) != SQLITE_OK)
        return study_error(study, "open the study", err);
    sqlite3_extended_result_codes(study->db, 1);
    sqlite3_busy_timeout(study->db, BUSY_MS);
    // A reader of a study on a read-only disk has no business changing its mode.
    if (mode != STUDY_READ && !study_execute(study,
                                             "PRAGMA journal_mode = WAL;"
                                             "PRAGMA synchronous = FULL",
                                             "open the study", err))
        return false;
    return study_execute(study, "PRAGMA foreign_keys = ON", "open the study", err);
}

bool study_open(const char *path, StudyMode mode, Study **out, Err *err)
{
    *out = NULL;
    if (!file_check(path, mode, err))
        return false;
    Pool *pool = pool_new();
    Study *study = pool_alloc(pool, sizeof *study);
    *study = (Study){.pool = pool, .path = pool_strdup(pool, path)};
    study->folder = pool_printf(pool, "%s.d", path);
    if (!database_open(study, mode, err) || !damage_check(study, err) ||
        !schema_check(study, mode, err) ||
        (mode != STUDY_READ && !folder_make(study->folder, err))) {
        study_close(study);
        return false;
    }
    *out = study;
    return true;
}

void study_close(Study *study)
{
    if (!study)
        return;
    sqlite3_close(study->db);
    pool_free(study->pool);
}

const char *study_path(const Study *study)
{
    return study->path;
}

const char *study_folder(const Study *study)
{
    return study->folder;
}

void study_limit_pages(Study *study, int pages)
{
    char pragma[64];
    snprintf(pragma, sizeof pragma, "PRAGMA max_page_count = %d", pages);
    sqlite3_exec(study->db, pragma, NULL, NULL, NULL);
}

// ---- options and notes -------------------------------------------------------------------------

static bool pair_write(Study *study, const char *sql, const char *name, const char *value, Err *err)
{
    sqlite3_stmt *statement = study_prepare(study, sql, err);
    if (!statement)
        return false;
    study_bind(statement, 1, name);
    study_bind(statement, 2, value);
    return study_finish(study, statement, "write to the study", err);
}

bool study_begin(Study *study, const StudyOption *options, int count, bool *is_first, Err *err)
{
    int64_t stored = 0;
    *is_first = false;
    if (!study_transact(study, err))
        return false;
    bool ok = number_query(study, "SELECT count(*) FROM option", &stored, err);
    for (int i = 0; ok && stored == 0 && i < count; i++)
        ok = pair_write(study, "INSERT INTO option VALUES (?, ?)", options[i].name,
                        options[i].value, err);
    *is_first = ok && stored == 0;
    return study_commit(study, ok, err);
}

bool study_options(Study *study, StudyOption **options, int *count, Pool *pool, Err *err)
{
    size_t capacity = 0;
    bool is_row = true;
    *options = NULL;
    *count = 0;
    sqlite3_stmt *statement =
        study_prepare(study, "SELECT name, value FROM option ORDER BY name", err);
    bool ok = statement != NULL;
    while (ok && (ok = study_step(study, statement, &is_row, "read the study", err)) && is_row) {
        *options = pool_grow(pool, *options, (size_t)*count, (size_t)*count + 1, &capacity,
                             sizeof **options);
        (*options)[(*count)++] =
            (StudyOption){study_column(statement, 0, pool), study_column(statement, 1, pool)};
    }
    sqlite3_finalize(statement);
    return ok;
}

bool study_note(Study *study, const char *name, const char **value, Pool *pool, Err *err)
{
    sqlite3_stmt *statement = study_prepare(study, "SELECT value FROM note WHERE name = ?", err);
    bool is_row = false;
    *value = NULL;
    if (!statement)
        return false;
    study_bind(statement, 1, name);
    bool ok = study_step(study, statement, &is_row, "read the study", err);
    if (ok && is_row)
        *value = study_column(statement, 0, pool);
    sqlite3_finalize(statement);
    return ok;
}

bool study_note_write(Study *study, const char *name, const char *value, Err *err)
{
    return pair_write(study, "INSERT OR REPLACE INTO note VALUES (?, ?)", name, value, err);
}

// ---- the queue ---------------------------------------------------------------------------------

bool study_enqueue(Study *study, const StudyQueued *points, int count, Err *err)
{
    if (!study_transact(study, err))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        sqlite3_stmt *statement =
            study_prepare(study, "INSERT INTO queue (point, params, source) VALUES (?, ?, ?)", err);
        ok = statement != NULL;
        if (!ok)
            break;
        Text point = {0};
        numbers_print(points[i].x, points[i].n_x, &point);
        study_bind(statement, 1, point.data);
        study_bind(statement, 2, points[i].params);
        study_bind(statement, 3, points[i].source);
        text_free(&point);
        ok = study_finish(study, statement, "write to the study", err);
    }
    return study_commit(study, ok, err);
}

bool study_queue(Study *study, StudyQueued **points, int *count, Pool *pool, Err *err)
{
    size_t capacity = 0;
    bool is_row = true;
    *points = NULL;
    *count = 0;
    sqlite3_stmt *statement = study_prepare(
        study, "SELECT id, point, params, source FROM queue WHERE trial IS NULL ORDER BY id", err);
    bool ok = statement != NULL;
    while (ok && (ok = study_step(study, statement, &is_row, "read the study", err)) && is_row) {
        *points = pool_grow(pool, *points, (size_t)*count, (size_t)*count + 1, &capacity,
                            sizeof **points);
        StudyQueued *point = &(*points)[(*count)++];
        *point = (StudyQueued){.id = sqlite3_column_int64(statement, 0),
                               .params = study_column(statement, 2, pool),
                               .source = study_column(statement, 3, pool)};
        point->x = numbers_read(study_column(statement, 1, pool), &point->n_x, pool);
    }
    sqlite3_finalize(statement);
    return ok;
}

// ---- times of shapes ---------------------------------------------------------------------------

bool study_time(Study *study, const char *machine, const char *shape, double *ms, Err *err)
{
    sqlite3_stmt *statement =
        study_prepare(study, "SELECT ms FROM shape_time WHERE machine = ? AND shape = ?", err);
    bool is_row = false;
    *ms = -1;
    if (!statement)
        return false;
    study_bind(statement, 1, machine);
    study_bind(statement, 2, shape);
    bool ok = study_step(study, statement, &is_row, "read the study", err);
    if (ok && is_row)
        *ms = sqlite3_column_double(statement, 0);
    sqlite3_finalize(statement);
    return ok;
}

bool study_time_write(Study *study, const char *machine, const char *shape, double ms, Err *err)
{
    sqlite3_stmt *statement =
        study_prepare(study, "INSERT OR IGNORE INTO shape_time VALUES (?, ?, ?)", err);
    if (!statement)
        return false;
    study_bind(statement, 1, machine);
    study_bind(statement, 2, shape);
    sqlite3_bind_double(statement, 3, ms);
    return study_finish(study, statement, "write to the study", err);
}
