/*
 * socks.c - the client's side of a dynamic forward: SOCKS 5 (RFC 1928) with
 * no login and CONNECT, and SOCKS 4 and 4a.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cmd/podform-ssh/stream.h"

static void
eat(struct socks *socks, size_t n)
{
	memmove(socks->bytes, socks->bytes + n, socks->size - n);
	socks->size -= n;
}

static enum socks_result
step_four(struct socks *socks)
{
	const unsigned char *b = socks->bytes, *end, *name_end;
	struct in_addr address;

	if (socks->size < 9)
		return SOCKS_MORE;
	end = memchr(b + 8, 0, socks->size - 8);
	if (end == NULL)
		return SOCKS_MORE;
	if (b[1] != 1)
		return SOCKS_BAD;
	socks->port = b[2] << 8 | b[3];
	if (b[4] == 0 && b[5] == 0 && b[6] == 0 && b[7] != 0) {
		end++;
		name_end = memchr(end, 0, (size_t)(b + socks->size - end));
		if (name_end == NULL)
			return SOCKS_MORE;
		if (name_end == end || name_end - end > 255)
			return SOCKS_BAD;
		memcpy(socks->host, end, (size_t)(name_end - end) + 1);
		end = name_end;
	} else {
		memcpy(&address, b + 4, 4);
		inet_ntop(AF_INET, &address, socks->host,
		    sizeof socks->host);
	}
	eat(socks, (size_t)(end - b) + 1);
	return SOCKS_OK;
}

static enum socks_result
step_five(struct socks *socks)
{
	const unsigned char *b = socks->bytes;
	size_t length, at = 4;

	if (socks->size < 5)
		return SOCKS_MORE;
	if (b[1] != 1)
		return SOCKS_BAD;
	length = b[3] == 1 ? 4 : b[3] == 4 ? 16 : b[3] == 3 ? b[4] : 0;
	if (length == 0)
		return SOCKS_BAD;
	at += b[3] == 3;
	if (socks->size < at + length + 2)
		return SOCKS_MORE;
	if (b[3] == 3) {
		if (memchr(b + at, 0, length) != NULL)
			return SOCKS_BAD;
		memcpy(socks->host, b + at, length);
		socks->host[length] = '\0';
	} else {
		inet_ntop(b[3] == 1 ? AF_INET : AF_INET6, b + at,
		    socks->host, sizeof socks->host);
	}
	socks->port = b[at + length] << 8 | b[at + length + 1];
	eat(socks, at + length + 2);
	return SOCKS_OK;
}

enum socks_result
socks_step(struct socks *socks, unsigned char *answer, size_t *answer_size)
{
	const unsigned char *b = socks->bytes;

	*answer_size = 0;
	if (socks->size < 2)
		return SOCKS_MORE;
	if (b[0] == 4 && !socks->greeted)
		return step_four(socks);
	if (b[0] != 5)
		return SOCKS_BAD;
	socks->five = true;
	if (!socks->greeted) {
		if (socks->size < 2u + b[1])
			return SOCKS_MORE;
		answer[0] = 5;
		*answer_size = 2;
		if (memchr(b + 2, 0, b[1]) == NULL) {
			answer[1] = 0xff;	/* it wants a password */
			return SOCKS_BAD;
		}
		answer[1] = 0;
		socks->greeted = true;
		eat(socks, 2u + b[1]);
		return SOCKS_MORE;
	}
	return step_five(socks);
}

size_t
socks_answer(const struct socks *socks, bool ok, unsigned char answer[10])
{
	memset(answer, 0, 10);
	if (socks->five) {
		answer[0] = 5;
		answer[1] = ok ? 0 : 5;		/* connection refused */
		answer[3] = 1;
		return 10;
	}
	answer[1] = ok ? 90 : 91;
	return 8;
}
