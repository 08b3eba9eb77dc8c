/*
 * jobs.c - what is asked of a server for each kind of job.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/podform-ssh/sftp.h"

enum { NAME_SIZE_MAX = 4096, NAMES_MAX = 1000 * 1000 };
enum step { STEP_FIRST, STEP_DATA, STEP_MODE, STEP_CLOSE, STEP_SECOND };
#define PROGRESS_US ((int64_t)SECOND_US / 5)

void
job_end(struct worker *worker, struct job *job, enum wire_failure failure,
    const char *why)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (failure != WIRE_FAIL_NONE) {
		talk_text(worker, WIRE_FAILED, job->id, failure, why);
	} else {
		if (job->digest != NULL)
			EVP_DigestFinal_ex(job->digest, digest, &size);
		talk_say(worker, &(struct wire){ .type = WIRE_DONE,
		    .channel = job->id, .b = (int64_t)job->bytes,
		    .payload = digest, .size = size, .fd = -1 });
	}
	for (size_t i = 0; i < SFTP_AHEAD; i++)
		free(job->slots[i].data);
	if (job->fd != -1)
		close(job->fd);
	EVP_MD_CTX_free(job->digest);
	free(job->path);
	free(job->other);
	free(job);
}

static void
ask_path(struct sftp *sftp, struct job *job, enum sftp_type type)
{
	job->request = request_begin(sftp, type);
	request_string(sftp, job->path, strlen(job->path));
}

static void
ask_mode(struct sftp *sftp, struct job *job)
{
	request_u32(sftp, 4);
	request_u32(sftp, (uint32_t)job->mode & 07777);
}

static void
ask_open(struct sftp *sftp, struct job *job)
{
	bool put = job->type == WIRE_PUT;

	job->digest = EVP_MD_CTX_new();
	if (job->digest == NULL || EVP_DigestInit_ex(job->digest,
	    EVP_sha256(), NULL) != 1)
		abort();
	ask_path(sftp, job, SFTP_OPEN);
	request_u32(sftp, put ? 2 | 8 | 16 : 1);	/* write, make, cut */
	if (put)
		ask_mode(sftp, job);
	else
		request_u32(sftp, 0);
}

static void
ask_rename(struct sftp *sftp, struct job *job, enum sftp_type type)
{
	static const char name[] = "posix-rename@openssh.com";

	job->request = request_begin(sftp, type);
	if (type == SFTP_EXTENDED)
		request_string(sftp, name, sizeof name - 1);
	request_string(sftp, job->path, strlen(job->path));
	request_string(sftp, job->other, strlen(job->other));
}

void
job_begin(struct worker *worker, struct sftp *sftp, struct job *job)
{
	(void)worker;
	switch (job->type) {
	case WIRE_LIST:
		ask_path(sftp, job, SFTP_OPENDIR);
		break;
	case WIRE_STAT:
		ask_path(sftp, job, job->mode == 1 ? SFTP_STAT : SFTP_LSTAT);
		break;
	case WIRE_MKDIR:
		ask_path(sftp, job, SFTP_MKDIR);
		ask_mode(sftp, job);
		break;
	case WIRE_REMOVE:
		ask_path(sftp, job, SFTP_REMOVE);
		break;
	case WIRE_CHMOD:
		ask_path(sftp, job, SFTP_SETSTAT);
		ask_mode(sftp, job);
		break;
	case WIRE_RENAME:
		if (sftp->renames) {
			ask_rename(sftp, job, SFTP_EXTENDED);
			break;
		}
		/* The old rename does not replace. */
		job->request = request_begin(sftp, SFTP_REMOVE);
		request_string(sftp, job->other, strlen(job->other));
		break;
	default:
		ask_open(sftp, job);
	}
	request_end(sftp);
}

/* Close what is open, then end with this. */
static enum job_result
finish(struct sftp *sftp, struct job *job, enum wire_failure failure,
    const char *why)
{
	if (job->failure == WIRE_FAIL_NONE) {
		job->failure = failure;
		job->why = why;
	}
	if (job->handle_size == 0)
		return JOB_DONE;
	job->step = STEP_CLOSE;
	job->request = request_begin(sftp, SFTP_CLOSE);
	request_string(sftp, job->handle, job->handle_size);
	request_end(sftp);
	job->handle_size = 0;
	return JOB_GOES_ON;
}

static enum job_result
refused(struct sftp *sftp, struct job *job, uint32_t status)
{
	if (status == SFTP_NO_FILE)
		return finish(sftp, job, WIRE_FAIL_MISSING,
		    "no such file on the pod");
	return finish(sftp, job, WIRE_FAIL_REFUSED, status == SFTP_DENIED ?
	    "permission denied on the pod" : "the pod says that it failed");
}

static enum job_result
nonsense(struct job *job)
{
	job->failure = WIRE_FAIL_PROTOCOL;
	job->why = "the SFTP server does not keep to the protocol";
	return JOB_DONE;
}

static void
progress(struct worker *worker, struct job *job, size_t size)
{
	job->bytes += size;
	if (worker->now_us < job->told_us + PROGRESS_US)
		return;
	job->told_us = worker->now_us;
	talk_say(worker, &(struct wire){ .type = WIRE_PROGRESS,
	    .channel = job->id, .b = (int64_t)job->bytes, .fd = -1 });
}

/* ----------------------------------------------------------------- put -- */

static void
push_writes(struct sftp *sftp, struct job *job, char *scratch)
{
	while (!job->local_end && job->under_way < SFTP_AHEAD &&
	    job->failure == WIRE_FAIL_NONE &&
	    sftp->out_end - sftp->out_at < 2 * SFTP_CHUNK) {
		ssize_t n = read(job->fd, scratch, SFTP_CHUNK);

		if (n <= 0) {
			job->local_end = true;
			if (n < 0) {
				job->failure = WIRE_FAIL_LOCAL;
				job->why = strerror(errno);
			}
			return;
		}
		EVP_DigestUpdate(job->digest, scratch, (size_t)n);
		request_begin(sftp, SFTP_WRITE);
		request_string(sftp, job->handle, job->handle_size);
		request_u64(sftp, job->offset);
		request_string(sftp, scratch, (size_t)n);
		request_end(sftp);
		job->offset += (uint64_t)n;
		job->under_way++;
	}
}

/* All is written: the mode, which an open leaves to the server's mask. */
static enum job_result
put_is_over(struct sftp *sftp, struct job *job)
{
	if (!job->local_end || job->under_way > 0)
		return JOB_GOES_ON;
	job->step = STEP_MODE;
	job->request = request_begin(sftp, SFTP_FSETSTAT);
	request_string(sftp, job->handle, job->handle_size);
	ask_mode(sftp, job);
	request_end(sftp);
	return JOB_GOES_ON;
}

static enum job_result
put_answer(struct worker *worker, struct sftp *sftp, struct job *job,
    uint32_t status)
{
	if (job->under_way == 0)
		return nonsense(job);
	job->under_way--;
	if (status != SFTP_OK && job->failure == WIRE_FAIL_NONE) {
		job->failure = WIRE_FAIL_REFUSED;
		job->why = "the pod cannot write the file (is it full?)";
		job->local_end = true;
	} else {
		size_t left = (size_t)(job->offset - job->bytes);

		progress(worker, job, left < SFTP_CHUNK ? left : SFTP_CHUNK);
	}
	return put_is_over(sftp, job);
}

/* ----------------------------------------------------------------- get -- */

static void
ask_read(struct sftp *sftp, struct job *job, struct sftp_slot *slot)
{
	slot->id = request_begin(sftp, SFTP_READ);
	request_string(sftp, job->handle, job->handle_size);
	request_u64(sftp, slot->offset);
	request_u32(sftp, slot->want);
	request_end(sftp);
}

static void
push_reads(struct sftp *sftp, struct job *job)
{
	while (!job->local_end && job->nslots < SFTP_AHEAD &&
	    job->failure == WIRE_FAIL_NONE) {
		struct sftp_slot *slot = &job->slots[(job->first +
		    job->nslots) % SFTP_AHEAD];

		*slot = (struct sftp_slot){ .want = SFTP_CHUNK,
		    .offset = job->offset };
		job->offset += SFTP_CHUNK;
		job->nslots++;
		ask_read(sftp, job, slot);
	}
}

static void
store(struct worker *worker, struct job *job, const struct sftp_slot *slot)
{
	size_t at = 0;

	if (job->failure != WIRE_FAIL_NONE || job->local_end)
		return;
	if (job->bytes + slot->size > (uint64_t)job->limit) {
		job->failure = WIRE_FAIL_LOCAL;
		job->why = "the file is larger than it may be";
		return;
	}
	while (at < slot->size) {
		ssize_t n = write(job->fd, slot->data + at, slot->size - at);

		if (n == -1) {
			job->failure = WIRE_FAIL_LOCAL;
			job->why = strerror(errno);
			return;
		}
		at += (size_t)n;
	}
	EVP_DigestUpdate(job->digest, slot->data, slot->size);
	progress(worker, job, slot->size);
}

/* Take what came, in order; an answer that is short is asked for again. */
static enum job_result
drain(struct worker *worker, struct sftp *sftp, struct job *job)
{
	while (job->nslots > 0 && job->slots[job->first].came) {
		struct sftp_slot *slot = &job->slots[job->first];

		store(worker, job, slot);
		free(slot->data);
		slot->data = NULL;
		if (slot->end)
			job->local_end = true;
		if (!slot->end && slot->size < slot->want &&
		    !job->local_end && job->failure == WIRE_FAIL_NONE) {
			slot->offset += slot->size;
			slot->want -= (uint32_t)slot->size;
			slot->came = false;
			ask_read(sftp, job, slot);
			return JOB_GOES_ON;
		}
		job->first = (job->first + 1) % SFTP_AHEAD;
		job->nslots--;
	}
	if (job->nslots == 0 && (job->local_end ||
	    job->failure != WIRE_FAIL_NONE))
		return finish(sftp, job, job->failure, job->why);
	push_reads(sftp, job);
	return JOB_GOES_ON;
}

static enum job_result
get_answer(struct worker *worker, struct sftp *sftp, struct job *job,
    enum sftp_type type, uint32_t id, struct reader *reader, uint32_t status)
{
	struct sftp_slot *slot = NULL;
	const char *data;
	size_t size;

	for (size_t i = 0; i < job->nslots && slot == NULL; i++)
		if (job->slots[(job->first + i) % SFTP_AHEAD].id == id)
			slot = &job->slots[(job->first + i) % SFTP_AHEAD];
	if (slot == NULL || slot->came)
		return nonsense(job);
	slot->came = true;
	slot->size = 0;
	if (type == SFTP_DATA) {
		data = read_string(reader, &size);
		if (reader->bad || size == 0 || size > slot->want)
			return nonsense(job);
		slot->data = worker_copy(data, size);
		slot->size = size;
	} else if (status == SFTP_EOF) {
		slot->end = true;
	} else if (job->failure == WIRE_FAIL_NONE) {
		job->failure = WIRE_FAIL_REFUSED;
		job->why = "the pod cannot read the file";
	}
	return drain(worker, sftp, job);
}

/* -------------------------------------------------------------- others -- */

static void
ask_names(struct sftp *sftp, struct job *job)
{
	job->step = STEP_DATA;
	job->request = request_begin(sftp, SFTP_READDIR);
	request_string(sftp, job->handle, job->handle_size);
	request_end(sftp);
}

static enum job_result
take_names(struct worker *worker, struct sftp *sftp, struct job *job,
    struct reader *reader)
{
	uint32_t n = read_u32(reader);

	/* No names are what some servers say at the end. */
	if (n == 0 && !reader->bad)
		return finish(sftp, job, WIRE_FAIL_NONE, NULL);
	for (; n > 0 && !reader->bad; n--) {
		size_t size, ignored;
		const char *name = read_string(reader, &size);
		int64_t mode, length;

		read_string(reader, &ignored);
		read_attributes(reader, &mode, &length);
		if (size > NAME_SIZE_MAX)
			return nonsense(job);
		if (++job->names > NAMES_MAX)
			return finish(sftp, job, WIRE_FAIL_REFUSED,
			    "the directory has more names than anybody reads");
		if (reader->bad || (size == 1 && name[0] == '.') ||
		    (size == 2 && name[0] == '.' && name[1] == '.'))
			continue;
		talk_say(worker, &(struct wire){ .type = WIRE_ENTRY,
		    .channel = job->id, .a = mode < 0 ? 0 : mode,
		    .b = length < 0 ? 0 : length, .payload = name,
		    .size = size, .fd = -1 });
	}
	if (reader->bad)
		return nonsense(job);
	ask_names(sftp, job);
	return JOB_GOES_ON;
}

static enum job_result
take_attributes(struct worker *worker, struct job *job,
    struct reader *reader)
{
	int64_t mode, size;

	read_attributes(reader, &mode, &size);
	if (reader->bad)
		return nonsense(job);
	if (job->type == WIRE_MKDIR) {		/* it was there before */
		if (!S_ISDIR((mode_t)mode)) {
			job->failure = WIRE_FAIL_REFUSED;
			job->why = "there is a file of that name on the pod";
		}
		job->bytes = 1;
		return JOB_DONE;
	}
	talk_say(worker, &(struct wire){ .type = WIRE_ENTRY,
	    .channel = job->id, .a = mode < 0 ? 0 : mode,
	    .b = size < 0 ? 0 : size, .payload = job->path,
	    .size = strlen(job->path), .fd = -1 });
	return JOB_DONE;
}

static enum job_result
take_handle(struct sftp *sftp, struct job *job, struct reader *reader)
{
	size_t size;
	const char *handle = read_string(reader, &size);
	bool opens = job->type == WIRE_LIST || job->type == WIRE_GET ||
	    job->type == WIRE_PUT;

	if (!opens || reader->bad || size == 0 || size > SFTP_HANDLE_MAX ||
	    job->step != STEP_FIRST)
		return nonsense(job);
	memcpy(job->handle, handle, size);
	job->handle_size = size;
	job->step = STEP_DATA;
	if (job->type == WIRE_LIST)
		ask_names(sftp, job);
	else if (job->type == WIRE_GET)
		push_reads(sftp, job);
	return JOB_GOES_ON;
}

static enum job_result
take_status(struct sftp *sftp, struct job *job, uint32_t status)
{
	if (job->step == STEP_CLOSE) {
		/* A full disk may show only now. */
		if (status != SFTP_OK && job->type == WIRE_PUT)
			refused(sftp, job, status);
		return JOB_DONE;
	}
	if (job->step == STEP_MODE)
		return status == SFTP_OK ? finish(sftp, job, job->failure,
		    job->why) : refused(sftp, job, status);
	if (job->type == WIRE_LIST && job->step == STEP_DATA &&
	    status == SFTP_EOF)
		return finish(sftp, job, WIRE_FAIL_NONE, NULL);
	if (job->type == WIRE_MKDIR && status == SFTP_FAILURE &&
	    job->step == STEP_FIRST) {
		job->step = STEP_SECOND;
		ask_path(sftp, job, SFTP_STAT);
		request_end(sftp);
		return JOB_GOES_ON;
	}
	if (job->type == WIRE_RENAME && !sftp->renames &&
	    job->step == STEP_FIRST) {
		job->step = STEP_SECOND;
		ask_rename(sftp, job, SFTP_RENAME);
		request_end(sftp);
		return JOB_GOES_ON;
	}
	return status == SFTP_OK ? JOB_DONE : refused(sftp, job, status);
}

enum job_result
job_answer(struct worker *worker, struct sftp *sftp, struct job *job,
    enum sftp_type type, uint32_t id, struct reader *reader)
{
	bool data = job->step == STEP_DATA;
	uint32_t status = type == SFTP_STATUS ? read_u32(reader) : 0;

	if (reader->bad)
		return nonsense(job);
	if (data && job->type == WIRE_PUT && type == SFTP_STATUS)
		return put_answer(worker, sftp, job, status);
	if (data && job->type == WIRE_GET && (type == SFTP_STATUS ||
	    type == SFTP_DATA))
		return get_answer(worker, sftp, job, type, id, reader,
		    status);
	if (id != job->request)
		return nonsense(job);
	if (type == SFTP_STATUS)
		return take_status(sftp, job, status);
	if (type == SFTP_HANDLE)
		return take_handle(sftp, job, reader);
	if (type == SFTP_NAME && job->type == WIRE_LIST && data)
		return take_names(worker, sftp, job, reader);
	if (type == SFTP_ATTRS && (job->type == WIRE_STAT ||
	    job->type == WIRE_MKDIR))
		return take_attributes(worker, job, reader);
	return nonsense(job);
}

void
job_push(struct worker *worker, struct sftp *sftp, struct job *job)
{
	bool before = job->local_end;

	if (job->type != WIRE_PUT || job->step != STEP_DATA)
		return;
	push_writes(sftp, job, worker->scratch);
	if (job->local_end && !before)
		put_is_over(sftp, job);
}
