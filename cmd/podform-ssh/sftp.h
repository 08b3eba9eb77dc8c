/*
 * sftp.h - packets of SFTP version 3, and the jobs that are done with them.
 */
#ifndef PODFORM_SSH_SFTP_H
#define PODFORM_SSH_SFTP_H

#include <openssl/evp.h>

#include "cmd/podform-ssh/channel.h"

enum sftp_type {
	SFTP_INIT = 1, SFTP_VERSION, SFTP_OPEN, SFTP_CLOSE, SFTP_READ,
	SFTP_WRITE, SFTP_LSTAT, SFTP_FSTAT, SFTP_SETSTAT, SFTP_FSETSTAT,
	SFTP_OPENDIR, SFTP_READDIR, SFTP_REMOVE, SFTP_MKDIR, SFTP_RMDIR,
	SFTP_REALPATH, SFTP_STAT, SFTP_RENAME,
	SFTP_STATUS = 101, SFTP_HANDLE, SFTP_DATA, SFTP_NAME, SFTP_ATTRS,
	SFTP_EXTENDED = 200,
};
enum sftp_status { SFTP_OK, SFTP_EOF, SFTP_NO_FILE, SFTP_DENIED,
    SFTP_FAILURE };

enum {
	SFTP_PACKET_MAX = 256 << 10,
	SFTP_CHUNK = 32 << 10,
	SFTP_AHEAD = 64,		/* chunks that may be under way */
	SFTP_HANDLE_MAX = 256,
};

/* A read that is under way. */
struct sftp_slot {
	uint32_t id, want;
	uint64_t offset;
	char *data;		/* came before its turn */
	size_t size;
	bool came, end;
};

struct job {
	struct job *next;
	uint32_t id;			/* podform's */
	enum wire_type type;
	int fd;				/* -1: none */
	char *path, *other;
	int64_t mode, limit;
	unsigned step;			/* see each kind in files.c */
	uint32_t request;		/* whose answer is waited for */
	char handle[SFTP_HANDLE_MAX];
	size_t handle_size;		/* 0: none */
	EVP_MD_CTX *digest;
	uint64_t offset, bytes;
	size_t under_way;		/* writes not yet answered */
	size_t names;			/* that a directory has shown */
	bool local_end;
	struct sftp_slot slots[SFTP_AHEAD];
	size_t first, nslots;
	int64_t told_us;		/* when PROGRESS was said */
	enum wire_failure failure;	/* to be said when it is closed */
	const char *why;
};

struct sftp {
	struct channel *channel;	/* NULL: not open */
	bool ready, renames;
	uint32_t next_id;
	char *in;
	size_t in_size;
	char *out;
	size_t out_at, out_end, out_size;
	size_t begun;			/* where the last request starts */
	struct job *jobs;
	int64_t idle_us;
	int64_t heard_us;		/* when it answered last */
};

/* An answer, looked at piece by piece; bad once it ended too early. */
struct reader {
	const unsigned char *at, *end;
	bool bad;
};
uint32_t read_u32(struct reader *reader);
uint64_t read_u64(struct reader *reader);
const char *read_string(struct reader *reader, size_t *size);
/* Mode (with type) and size; -1 for what is not told. */
void read_attributes(struct reader *reader, int64_t *mode, int64_t *size);

/* Requests: begin, add, end. */
uint32_t request_begin(struct sftp *sftp, enum sftp_type type);
void request_u32(struct sftp *sftp, uint32_t value);
void request_u64(struct sftp *sftp, uint64_t value);
void request_string(struct sftp *sftp, const void *bytes, size_t size);
void request_end(struct sftp *sftp);

/* --- jobs.c --- */
enum job_result { JOB_GOES_ON, JOB_DONE };
void job_begin(struct worker *worker, struct sftp *sftp, struct job *job);
/* An answer of the server to the job's request id. */
enum job_result job_answer(struct worker *worker, struct sftp *sftp,
    struct job *job, enum sftp_type type, uint32_t id,
    struct reader *reader);
/* Send more, where there is more to send and room for it. */
void job_push(struct worker *worker, struct sftp *sftp, struct job *job);
/* What it came to, and free it. */
void job_end(struct worker *worker, struct job *job,
    enum wire_failure failure, const char *why);

#endif
