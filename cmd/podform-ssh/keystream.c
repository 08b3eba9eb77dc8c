/*
 * keystream.c - AES in counter mode, many blocks at a time.
 *
 * libssh2 1.10 hands each packet to libcrypto in steps of 16 bytes, and two
 * thirds of what a tunnel costs are the way into such a step and back.  But
 * in counter mode a block is the data XOR a stream that does not depend on
 * the data.  So the function that it calls is replaced by one that has the
 * stream made some KiB ahead, by libcrypto, and does the XOR itself: the
 * same bytes, for a fraction of the time.  Contexts of other modes go on to
 * libcrypto.  As with time() in library.c, the symbol of the program comes
 * before that of a library; where it does not, nothing is lost but speed.
 */
#include <dlfcn.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/podform-ssh/library.h"

enum {
	STREAMS = 4,		/* one per direction, and both when rekeying */
	AHEAD = 8 << 10,	/* fits into the nearest cache */
};

struct stream {
	EVP_CIPHER_CTX *context;	/* NULL: free */
	size_t at;			/* what of bytes is used */
	unsigned char *bytes;
};

static struct stream streams[STREAMS];

enum { BLOCK = 16 };
typedef uint64_t block __attribute__((vector_size(BLOCK)));

static struct {
	int (*cipher)(EVP_CIPHER_CTX *context, unsigned char *out,
	    const unsigned char *in, unsigned size);
	void (*free)(EVP_CIPHER_CTX *context);
} theirs;

/* dlsym() gives functions as pointers to anything. */
static bool
find(const char *name, void *function)
{
	void *found = dlsym(RTLD_NEXT, name);

	memcpy(function, &found, sizeof found);
	return found != NULL;
}

bool
library_load_keystream(void)
{
	return find("EVP_Cipher", &theirs.cipher) &&
	    find("EVP_CIPHER_CTX_free", &theirs.free);
}

static struct stream *
stream_of(EVP_CIPHER_CTX *context)
{
	for (size_t i = 0; i < STREAMS; i++)
		if (streams[i].context == context)
			return &streams[i];
	return NULL;
}

/* A stream for a context that has none, from its next block on. */
static struct stream *
begin(EVP_CIPHER_CTX *context)
{
	struct stream *stream = stream_of(NULL);

	if (stream == NULL ||
	    EVP_CIPHER_CTX_get_mode(context) != EVP_CIPH_CTR_MODE)
		return NULL;
	stream->bytes = malloc(AHEAD);
	if (stream->bytes == NULL)
		return NULL;
	stream->context = context;
	stream->at = AHEAD;
	return stream;
}

static bool
refill(struct stream *stream)
{
	int made = 0;

	memset(stream->bytes, 0, AHEAD);
	stream->at = 0;
	return EVP_CipherUpdate(stream->context, stream->bytes, &made,
	    stream->bytes, AHEAD) == 1 && made == AHEAD;
}

/* In one store, as the library reads it again at once, in one load. */
static void
mix_block(unsigned char *out, const unsigned char *in,
    const unsigned char *key)
{
	block a, b;

	memcpy(&a, in, BLOCK);
	memcpy(&b, key, BLOCK);
	a ^= b;
	memcpy(out, &a, BLOCK);
}

/* In place of libcrypto's; -1 for a failure, as there.  SSH knows only whole
 * blocks. */
int
EVP_Cipher(EVP_CIPHER_CTX *context, unsigned char *out,
    const unsigned char *in, unsigned size)
{
	struct stream *stream = stream_of(context);

	if (stream == NULL && (stream = begin(context)) == NULL)
		return theirs.cipher(context, out, in, size);
	if (size % BLOCK != 0)
		return -1;
	for (unsigned done = 0; done < size; done += BLOCK) {
		if (stream->at == AHEAD && !refill(stream))
			return -1;
		mix_block(out + done, in + done, stream->bytes + stream->at);
		stream->at += BLOCK;
	}
	return (int)size;
}

/* In place of libcrypto's: the stream is a secret that ends with it. */
void
EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *context)
{
	struct stream *stream = context != NULL ? stream_of(context) : NULL;

	if (stream != NULL) {
		explicit_bzero(stream->bytes, AHEAD);
		free(stream->bytes);
		*stream = (struct stream){ 0 };
	}
	theirs.free(context);
}
