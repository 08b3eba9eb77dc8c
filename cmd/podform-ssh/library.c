/*
 * library.c - libssh2: memory, clock, socket and algorithms are ours.
 */
#include "cmd/podform-ssh/library.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/podform-ssh/channel.h"
#include "cmd/podform-ssh/offers.h"
#include "cmd/podform-ssh/worker.h"

enum { MSG_CHANNEL_OPEN = 90, MSG_CHANNEL_CLOSE = 97,
    MSG_CHANNEL_REQUEST = 98 };

/* ---------------------------------------------------------------- time -- */

static bool hurried;

/*
 * libssh2 asks time() to limit its waiting for an answer to 60 s.  This one
 * takes its place in this program: it does not jump with the wall clock, and
 * library_hurry() can let the minute be over.
 */
time_t
time(time_t *result)
{
	struct timespec now;
	time_t seconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = now.tv_sec + 1;	/* 0 has a meaning for it */
	if (hurried)
		seconds += 61;
	if (result != NULL)
		*result = seconds;
	return seconds;
}

void
library_hurry(bool on)
{
	hurried = on;
}

/* -------------------------------------------------------------- memory -- */

static size_t held;

size_t
library_held(void)
{
	return held;
}

/* Before each block: its size. */
union block {
	size_t size;
	max_align_t align;
};

static uint32_t
number(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	    (uint32_t)at[2] << 8 | at[3];
}

/*
 * libssh2 1.10 says status 0 of a command that ended without any, and has no
 * function for it; nor does it tell the number of a channel, nor, where
 * data follow, that one was closed.  All are in packets that it frees when it has read or sent them, unchanged.  Should
 * another version free them otherwise, statuses become unknown ones, which
 * is the safe side, and a test fails.
 */
static void
look_at_packet(struct worker *worker, const unsigned char *packet,
    size_t size)
{
	static const char status[] = "exit-status";

	if (size >= 25 && packet[0] == MSG_CHANNEL_REQUEST &&
	    number(packet + 5) == sizeof status - 1 &&
	    memcmp(packet + 9, status, sizeof status - 1) == 0)
		channel_saw_status(worker, number(packet + 1));
	if (size >= 5 && packet[0] == MSG_CHANNEL_CLOSE)
		channel_saw_close(worker, number(packet + 1));
	if (size >= 17 && packet[0] == MSG_CHANNEL_OPEN &&
	    number(packet + 1) <= size - 17)
		worker->opened_id = number(packet + 5 + number(packet + 1));
}

void *
library_alloc(size_t size)
{
	union block *block;

	if (size > (size_t)1 << 30)
		return NULL;
	/* Zeroed, so that what is looked at in the end was written. */
	block = worker_alloc(sizeof *block + size);
	block->size = size;
	held += sizeof *block + size;
	return block + 1;
}

size_t
library_size(const void *memory)
{
	return ((const union block *)memory - 1)->size;
}

static size_t note_size;	/* 0: nothing is to be noted */
static void *noted;

void
library_note(size_t size)
{
	note_size = size;
	noted = NULL;
}

void *
library_noted(void)
{
	note_size = 0;
	return noted;
}

static LIBSSH2_ALLOC_FUNC(take_memory)
{
	void *memory = library_alloc(count);

	(void)abstract;
	if (count == note_size && note_size != 0) {
		noted = memory;
		note_size = 0;
	}
	return memory;
}

static LIBSSH2_FREE_FUNC(give_memory)
{
	if (ptr != NULL) {
		union block *block = (union block *)ptr - 1;

		look_at_packet(*abstract, ptr, block->size);
		held -= sizeof *block + block->size;
		free(block);
	}
}

static LIBSSH2_REALLOC_FUNC(change_memory)
{
	void *other = library_alloc(count);

	if (other != NULL && ptr != NULL) {
		size_t size = ((union block *)ptr - 1)->size;

		memcpy(other, ptr, size < count ? size : count);
		give_memory(ptr, abstract);
	}
	return other;
}

/* As libcrypto has it: nothing for no bytes. */
static void *
crypto_malloc(size_t size, const char *file, int line)
{
	void *memory = size > 0 ? malloc(size) : NULL;

	(void)file, (void)line;
	if (memory == NULL && size > 0)
		worker_starved();
	return memory;
}

static void
crypto_free(void *memory, const char *file, int line)
{
	(void)file, (void)line;
	free(memory);
}

static void *
crypto_realloc(void *old, size_t size, const char *file, int line)
{
	void *memory;

	if (size == 0) {
		crypto_free(old, file, line);
		return NULL;
	}
	memory = realloc(old, size);
	if (memory == NULL)
		worker_starved();
	return memory;
}

/* -------------------------------------------------------------- socket -- */

static LIBSSH2_RECV_FUNC(receive)
{
	struct worker *worker = *abstract;

	(void)socket, (void)flags;
	return transport_read(&worker->transport, buffer, length);
}

static LIBSSH2_SEND_FUNC(deliver)
{
	struct worker *worker = *abstract;

	(void)socket, (void)flags;
	return transport_write(&worker->transport, buffer, length);
}

/* What it says in parting, as far as a log can bear it. */
static LIBSSH2_DISCONNECT_FUNC(take_leave)
{
	struct worker *worker = *abstract;
	size_t at = 0;

	(void)session, (void)reason, (void)language, (void)language_len;
	for (int i = 0; message != NULL && i < message_len &&
	    at < sizeof worker->farewell - 1; i++) {
		unsigned char byte = (unsigned char)message[i];

		worker->farewell[at++] = byte >= ' ' && byte < 0x7f ?
		    (char)byte : '?';
	}
	worker->farewell[at] = '\0';
}

/* It takes functions as pointers to anything. */
static void
set_callback(LIBSSH2_SESSION *session, int which, void (*function)(void))
{
	void *pointer;

	_Static_assert(sizeof pointer == sizeof function, "POSIX says so");
	memcpy(&pointer, &function, sizeof pointer);
	libssh2_session_callback_set(session, which, pointer);
}

/* ------------------------------------------------------------- session -- */

/* Make one key of a kind, so that its code is loaded and set up. */
static bool
warm_up_key(int type)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(type, NULL);
	EVP_PKEY *key = NULL;
	bool ok = context != NULL && EVP_PKEY_keygen_init(context) == 1 &&
	    EVP_PKEY_keygen(context, &key) == 1;

	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(context);
	return ok;
}

bool
library_load(void)
{
	static const char *const digests[] = { "SHA256", "SHA384", "SHA512" };
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned size;

	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc,
	    crypto_free) != 1 || !library_load_keystream() || libssh2_init(0) != 0 ||
	    RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (EVP_Digest("", 0, bytes, &size,
		    EVP_get_digestbyname(digests[i]), NULL) != 1)
			return false;
	return warm_up_key(EVP_PKEY_X25519) && warm_up_key(EVP_PKEY_ED25519);
}

LIBSSH2_SESSION *
library_session(struct worker *worker)
{
	LIBSSH2_SESSION *session = libssh2_session_init_ex(take_memory,
	    give_memory, change_memory, worker);

	if (session == NULL)
		return NULL;
	libssh2_session_set_blocking(session, 0);
	set_callback(session, LIBSSH2_CALLBACK_RECV, (void (*)(void))receive);
	set_callback(session, LIBSSH2_CALLBACK_SEND, (void (*)(void))deliver);
	set_callback(session, LIBSSH2_CALLBACK_DISCONNECT,
	    (void (*)(void))take_leave);
	if (!offers_prefer(session)) {
		libssh2_session_free(session);
		return NULL;
	}
	return session;
}

void
library_methods(LIBSSH2_SESSION *session, char *text, size_t size)
{
	static const int kinds[] = { LIBSSH2_METHOD_KEX,
	    LIBSSH2_METHOD_HOSTKEY, LIBSSH2_METHOD_CRYPT_SC,
	    LIBSSH2_METHOD_MAC_SC };
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		const char *name = libssh2_session_methods(session, kinds[i]);
		int n = snprintf(text + at, size - at, "%s%s",
		    at > 0 ? ", " : "", name != NULL ? name : "?");

		if (n < 0 || (size_t)n >= size - at)
			break;
		at += (size_t)n;
	}
}
