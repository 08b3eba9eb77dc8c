/*
 * sftp.c - how packets of SFTP are made and read.
 */
#include "cmd/podform-ssh/sftp.h"

#include <stdlib.h>
#include <string.h>

uint32_t
read_u32(struct reader *reader)
{
	const unsigned char *at = reader->at;

	if (reader->end - at < 4) {
		reader->bad = true;
		return 0;
	}
	reader->at += 4;
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	    (uint32_t)at[2] << 8 | at[3];
}

uint64_t
read_u64(struct reader *reader)
{
	uint64_t high = read_u32(reader);

	return high << 32 | read_u32(reader);
}

const char *
read_string(struct reader *reader, size_t *size)
{
	const char *start;

	*size = read_u32(reader);
	if (reader->bad || *size > (size_t)(reader->end - reader->at)) {
		reader->bad = true;
		*size = 0;
		return "";
	}
	start = (const char *)reader->at;
	reader->at += *size;
	return start;
}

void
read_attributes(struct reader *reader, int64_t *mode, int64_t *size)
{
	uint32_t flags = read_u32(reader), n;
	size_t ignored;

	*mode = *size = -1;
	if (flags & 1)
		*size = (int64_t)(read_u64(reader) & INT64_MAX);
	if (flags & 2)
		read_u64(reader);	/* owner, group */
	if (flags & 4)
		*mode = read_u32(reader);
	if (flags & 8)
		read_u64(reader);	/* times */
	if (flags & 0x80000000u)
		for (n = read_u32(reader); n > 0 && !reader->bad; n--) {
			read_string(reader, &ignored);
			read_string(reader, &ignored);
		}
}

static void
add(struct sftp *sftp, const void *bytes, size_t size)
{
	if (sftp->out_end + size > sftp->out_size) {
		size_t wanted = sftp->out_end + size + SFTP_CHUNK;
		char *grown = realloc(sftp->out, wanted);

		if (grown == NULL)
			worker_starved();
		sftp->out = grown;
		sftp->out_size = wanted;
	}
	if (size > 0)
		memcpy(sftp->out + sftp->out_end, bytes, size);
	sftp->out_end += size;
}

void
request_u32(struct sftp *sftp, uint32_t value)
{
	unsigned char bytes[] = { (unsigned char)(value >> 24),
	    (unsigned char)(value >> 16), (unsigned char)(value >> 8),
	    (unsigned char)value };

	add(sftp, bytes, sizeof bytes);
}

void
request_u64(struct sftp *sftp, uint64_t value)
{
	request_u32(sftp, (uint32_t)(value >> 32));
	request_u32(sftp, (uint32_t)value);
}

void
request_string(struct sftp *sftp, const void *bytes, size_t size)
{
	request_u32(sftp, (uint32_t)size);
	add(sftp, bytes, size);
}

/* The length is filled in at the end. */
uint32_t
request_begin(struct sftp *sftp, enum sftp_type type)
{
	unsigned char byte = (unsigned char)type;

	sftp->begun = sftp->out_end;
	request_u32(sftp, 0);
	add(sftp, &byte, 1);
	request_u32(sftp, ++sftp->next_id);
	return sftp->next_id;
}

void
request_end(struct sftp *sftp)
{
	size_t end = sftp->out_end;

	sftp->out_end = sftp->begun;
	request_u32(sftp, (uint32_t)(end - sftp->begun - 4));
	sftp->out_end = end;
}
