/*
 * standin.h - a stand-in for GitHub's runner package.
 *
 * One small program under two names: bin/Runner.Listener, which registers,
 * waits for jobs and says the real one's words, and bin/Runner.Worker, which
 * it starts for each job.  It speaks plain HTTP to podform-sim (the protocol
 * is in pkg/model/github_wire.c) and needs nothing but libc.  Names, flags,
 * texts, files and exit codes are those of actions/runner, as far as they
 * can be seen from outside.
 *
 * For tests, variables of its environment, of `.env` or of the pod (PID 1):
 *
 *	STANDIN_EXIT="2 2"	end with these codes in turn, one per start
 *	STANDIN_CRASH=1		die by SIGABRT before listening
 *	STANDIN_HANG=1		connect, then never listen
 *	STANDIN_OFFLINE=1	never connect
 *	STANDIN_IGNORE_TERM=1	SIGTERM and SIGINT do nothing
 *	STANDIN_ORPHAN=1	a job leaves a process behind
 *	STANDIN_HUGE_LOG=n	print n MB before listening
 *	STANDIN_FAST=1		wait 1 s where the real one waits 30
 *	STANDIN_NO_ICU=1	config.sh misses its library
 */
#ifndef SIM_STANDIN_H
#define SIM_STANDIN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define BOM "\xEF\xBB\xBF"
#define CHECK "\xE2\x88\x9A "	/* the root sign before what went well */

enum { FILE_MAX = 64 * 1024, REPLY_MAX = 64 * 1024, LINE_MAX_ = 512 };

/* configure.c: the commands `configure` and `remove`; their exit codes. */
int standin_configure(int argc, char **argv);
int standin_remove(int argc, char **argv);
/* listen.c: `run`. */
int standin_run(int argc, char **argv);
/* worker.c: `spawnclient 3 4`. */
int standin_work(void);

/* args.c: an option of the command line, or ACTIONS_RUNNER_INPUT_NAME; NULL
 * if it is not there.  A flag's value is "". */
const char *standin_arg(int argc, char **argv, const char *name);
/* A switch of the environment, or of the pod's; NULL if it is not set. */
const char *standin_switch(const char *name);
void standin_load_env(void);	/* .env */

/* text.c */
extern const char standin_version[];
bool standin_read(const char *path, char *out, size_t size);
bool standin_write(const char *path, const char *text, size_t length,
    int mode);
/* The string or number of a JSON member; false if there is none. */
bool standin_json(const char *text, const char *name, char *out,
    size_t size);
/* The value of a line `name=value`. */
bool standin_line(const char *text, const char *name, char *out,
    size_t size);
/* Decoded length, -1 if it is not base64. */
long standin_base64(const char *text, char *out, size_t size);
/* "2026-01-02 03:04:05Z: " and the text, to stdout. */
void standin_say(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void standin_forget(void);	/* delete the registration's files */

/*
 * http.c: POST body to base/_sim/path.  Returns the status, or -1 with a
 * reason in reply.
 */
int standin_post(const char *base, const char *path, const char *secret,
    const char *body, char *reply, size_t size);

#endif
