/*
 * fuzz_worker.c - the SSH worker between a hostile server and a podform that
 * makes no sense: all of cmd/podform-ssh over the real libssh2.
 *
 * The worker lives in this process.  Its sockets, its clock and its end are
 * ours: each time it would wait, the input says what happens next, and when
 * that is used up podform hangs up.  Time passes at once.  So that a server
 * of chance gets beyond the handshake, libssh2 is given a libcrypto that
 * encrypts nothing and believes every signature; only where the first byte
 * says so does the input begin with the first byte of the server.
 *
 * What must hold is what podform relies on (ssh/wire.h): messages of a known
 * type and size; output within the credit that was given; nothing about a
 * channel that is over, and nothing at all behind DOWN.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/owned.h"
/* What libcrypto keeps outlives a worker here: it is not to be owned. */
#include <openssl/crypto.h>
#define CRYPTO_set_mem_functions(get, change, give) \
	((void)(get), (void)(change), (void)(give), 1)
/* For what it counts, which a worker never has to set back. */
#include "cmd/podform-ssh/library.c"

enum { FIRST_FD = 100, CHANNELS = 8, QUEUE = 8, TURNS_MAX = 20000 };

static struct {
	bool inside;
	jmp_buf over;
	struct fuzz in;
	int64_t now_us;
	int turns;
	int tcp, null, zeros;
	LIBSSH2_SESSION *session;
	/* Of the server, not yet read. */
	struct strbuf server;
	size_t server_at;
	bool sealed, server_ended, server_full;
	/* Of podform, not yet received. */
	struct wire queue[QUEUE];
	size_t queued;
	char payload[512];
	bool gone, deaf, up, down;
	/* What podform knows of its channels. */
	struct {
		bool over;
		int64_t credit;
	} channels[CHANNELS + 1];
	unsigned clients;
} play;

/* ------------------------------------------------- a libcrypto for show -- */

int
EVP_Cipher(EVP_CIPHER_CTX *context, unsigned char *out,
    const unsigned char *in, unsigned size)
{
	(void)context;
	memmove(out, in, size);
	return (int)size;
}

bool
library_load_keystream(void)
{
	return true;
}

int
EVP_DigestVerify(EVP_MD_CTX *context, const unsigned char *signature,
    size_t size, const unsigned char *bytes, size_t n)
{
	(void)context, (void)signature, (void)size, (void)bytes, (void)n;
	return 1;
}

int HMAC_Init_ex(void *context, const void *key, int size, const void *md,
    void *engine);
int HMAC_Update(void *context, const unsigned char *bytes, size_t size);
int HMAC_Final(void *context, unsigned char *out, unsigned *size);

int
HMAC_Init_ex(void *context, const void *key, int size, const void *md,
    void *engine)
{
	(void)context, (void)key, (void)size, (void)md, (void)engine;
	return 1;
}

int
HMAC_Update(void *context, const unsigned char *bytes, size_t size)
{
	(void)context, (void)bytes, (void)size;
	return 1;
}

int
HMAC_Final(void *context, unsigned char *out, unsigned *size)
{
	(void)context;
	memset(out, 0, 32);
	if (size != NULL)
		*size = 32;
	return 1;
}

/* --------------------------------------------------------- the server -- */

static void
put_u32(struct strbuf *out, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		strbuf_addc(out, (char)(value >> shift));
}

static void
put_string(struct strbuf *out, struct str text)
{
	put_u32(out, (uint32_t)text.len);
	strbuf_add(out, text);
}

/* A packet as it is on the wire, with the MAC that is believed. */
static void
send_packet(struct str payload)
{
	size_t block = play.sealed ? 16 : 8;
	size_t pad = block - (5 + payload.len) % block;

	if (pad < 4)
		pad += block;
	put_u32(&play.server, (uint32_t)(1 + payload.len + pad));
	strbuf_addc(&play.server, (char)pad);
	strbuf_add(&play.server, payload);
	strbuf_pad(&play.server, pad + (play.sealed ? 32 : 0), '\0');
}

static void
send_greeting(void)
{
	static const char *const lists[] = { "curve25519-sha256",
		"ssh-ed25519", "aes128-ctr", "aes128-ctr", "hmac-sha2-256",
		"hmac-sha2-256", "none", "none", "", "" };
	struct strbuf packet = {0}, key = {0};

	strbuf_adds(&play.server, "SSH-2.0-fuzz\r\n");
	strbuf_addc(&packet, 20);
	strbuf_pad(&packet, 16, 'c');
	for (size_t i = 0; i < COUNTOF(lists); i++)
		put_string(&packet, str_from(lists[i]));
	strbuf_pad(&packet, 5, '\0');
	send_packet(strbuf_str(&packet));
	strbuf_reset(&packet);
	strbuf_addc(&packet, 31);
	put_string(&key, STR("ssh-ed25519"));
	put_string(&key, STR("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"));
	put_string(&packet, strbuf_str(&key));
	put_string(&packet, STR("pppppppppppppppppppppppppppppppp"));
	strbuf_reset(&key);
	put_string(&key, STR("ssh-ed25519"));
	put_string(&key, STR("ssssssssssssssssssssssssssssssss"
	    "ssssssssssssssssssssssssssssssss"));
	put_string(&packet, strbuf_str(&key));
	send_packet(strbuf_str(&packet));
	send_packet(STR("\x15"));
	play.sealed = true;
	strbuf_reset(&packet);
	strbuf_addc(&packet, 6);
	put_string(&packet, STR("ssh-userauth"));
	send_packet(strbuf_str(&packet));
	send_packet(STR("\x34"));		/* it is in */
	strbuf_release(&packet);
	strbuf_release(&key);
}

/* An answer of SFTP, inside of channel data. */
static void
put_sftp(struct strbuf *out, struct fuzz *in)
{
	static const char types[] = { 2, 101, 102, 103, 104, 105, (char)200 };
	struct strbuf packet = {0};

	strbuf_addc(&packet, types[fuzz_below(in, sizeof types)]);
	put_u32(&packet, 1 + (uint32_t)fuzz_below(in, 8));
	uint8_t more = fuzz_byte(in);
	if (more % 4 == 0) {
		put_u32(&packet, more / 4 % 6);		/* a status */
		put_u32(&packet, 0);
	} else if (more % 4 == 1) {
		put_string(&packet, fuzz_str(in, 255));	/* handle, data */
	}
	strbuf_add(&packet, fuzz_str(in, 255));
	struct strbuf framed = {0};
	put_string(&framed, strbuf_str(&packet));
	put_string(out, strbuf_str(&framed));
	strbuf_release(&packet);
	strbuf_release(&framed);
}

static void
put_request(struct strbuf *out, struct fuzz *in)
{
	static const char *const names[] = { "exit-status", "exit-signal",
		"keepalive@openssh.com", "x" };

	put_string(out, str_from(names[fuzz_below(in, COUNTOF(names))]));
	strbuf_addc(out, (char)(fuzz_byte(in) % 2));
	if (fuzz_byte(in) % 2)
		put_u32(out, fuzz_byte(in));
	else
		put_string(out, fuzz_str(in, 64));
}

/* One of the messages that a server can say once it is in. */
static void
send_message(struct fuzz *in)
{
	static const unsigned char types[] = { 90, 91, 91, 91, 92, 93, 94, 94,
		94, 95, 96, 97, 98, 98, 99, 100, 80, 81, 82, 1, 2, 3, 4, 20,
		30, 31, 21, 51, 52, 60 };
	struct strbuf packet = {0};
	unsigned char type = types[fuzz_below(in, sizeof types)];

	strbuf_addc(&packet, (char)type);
	if (type >= 91 && type <= 100)
		put_u32(&packet, (uint32_t)fuzz_below(in, 5));
	uint8_t how = fuzz_byte(in);
	if (type == 91) {
		put_u32(&packet, how);
		put_u32(&packet, how % 2 ? 0x200000 : fuzz_byte(in));
		put_u32(&packet, 0x8000);
	} else if (type == 93) {
		put_u32(&packet, (uint32_t)how << (how % 25));
	} else if (type == 95) {
		put_u32(&packet, how % 3);
		put_string(&packet, fuzz_str(in, 255));
	} else if (type == 94 && how % 2 == 0) {
		put_sftp(&packet, in);
	} else if (type == 94) {
		put_string(&packet, fuzz_str(in, 255));
	} else if (type == 98) {
		put_request(&packet, in);
	}
	if (how >= 192)
		strbuf_add(&packet, fuzz_str(in, 255));
	send_packet(strbuf_str(&packet));
	strbuf_release(&packet);
}

/* ------------------------------------------------------------ podform -- */

static void
say(struct wire message)
{
	if (play.queued < QUEUE)
		play.queue[play.queued++] = message;
}

static int
descriptor(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
}

static int
file_to_read(void)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", play.zeros);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int high = descriptor(fd);
	close(fd);
	return high;
}

/* Mostly what podform might say; the worker checks all of it. */
static void
say_something(struct fuzz *in)
{
	uint8_t type = fuzz_byte(in), number = fuzz_byte(in);
	struct wire message = {
		.type = WIRE_LOGIN + type % (WIRE_TYPE_COUNT - WIRE_LOGIN),
		.channel = number % (CHANNELS + 1),
		.fd = -1,
	};
	if (type < 128)		/* once more those that begin something */
		message.type = (uint32_t[]){ WIRE_EXEC, WIRE_INPUT,
			WIRE_CREDIT, WIRE_PUT, WIRE_GET, WIRE_LIST, WIRE_STAT,
			WIRE_FORWARD }[type % 8];
	message.a = number % 3;
	message.b = number >= 128 ? fuzz_number(in) : 65536;
	struct str payload = fuzz_str(in, sizeof play.payload - 1);
	if (payload.len > 0)
		memcpy(play.payload, payload.data, payload.len);
	play.payload[payload.len] = '\0';
	message.payload = play.payload;
	message.size = payload.len;
	if (message.type == WIRE_PUT)
		message.fd = file_to_read();
	if (message.type == WIRE_GET || (message.type == WIRE_FORWARD &&
	    message.a != 1))
		message.fd = descriptor(play.null);
	if (message.channel > 0 && message.type == WIRE_CREDIT &&
	    message.a >= 0)
		play.channels[message.channel].credit += message.a;
	/* A number is used once, for one thing. */
	if (message.type == WIRE_EXEC && message.channel > 0)
		play.channels[message.channel].over = false;
	say(message);
}

static bool
is_output(uint32_t type)
{
	return type == WIRE_OUT || type == WIRE_EXIT || type == WIRE_TAKEN;
}

int __wrap_wire_send(int socket, const struct wire *message);
int __wrap_wire_receive(int socket, char *buffer, struct wire *message);

int
__wrap_wire_send(int socket, const struct wire *message)
{
	uint32_t n = message->channel;

	(void)socket;
	assert(message->type >= WIRE_HOST_KEY &&
	    message->type < WIRE_TYPE_COUNT);
	assert(message->size <= WIRE_PAYLOAD_MAX && message->fd == -1);
	assert(!play.down && n <= CHANNELS);
	/* All of it is read, for the sanitizer's sake. */
	for (size_t i = 0; i < message->size; i++)
		play.turns += ((const char *)message->payload)[i] == 0x7f &&
		    play.turns < 0;
	if (play.deaf)
		return -EAGAIN;
	switch (message->type) {
	case WIRE_HOST_KEY:
		assert(!play.up && message->a > 0 &&
		    (size_t)message->a < message->size);
		say((struct wire){ .type = WIRE_TRUST, .fd = -1 });
		say((struct wire){ .type = WIRE_IDENTITY, .fd = -1,
		    .payload = "\0\0\0\x0bssh-ed25519\0\0\0\x20"
		    "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii", .size = 51 });
		break;
	case WIRE_SIGN:
		say((struct wire){ .type = WIRE_SIGNATURE, .fd = -1,
		    .payload = "\0\0\0\x0bssh-ed25519\0\0\0\x04sigs",
		    .size = 23 });
		break;
	case WIRE_UP:
		assert(!play.up);
		play.up = true;
		break;
	case WIRE_OUT:
		play.channels[n].credit -= (int64_t)message->size;
		assert(play.channels[n].credit >= 0);
		break;
	case WIRE_DOWN:
		play.down = true;
		break;
	default:
		break;
	}
	if (is_output(message->type)) {
		assert(play.up && n > 0 && !play.channels[n].over);
		play.channels[n].over = message->type == WIRE_EXIT;
	}
	return 0;
}

int
__wrap_wire_receive(int socket, char *buffer, struct wire *message)
{
	(void)socket;
	if (play.queued == 0)
		return play.gone ? 0 : -EAGAIN;
	*message = play.queue[0];
	memmove(play.queue, play.queue + 1,
	    --play.queued * sizeof play.queue[0]);
	if (message->size > 0)
		memcpy(buffer, message->payload, message->size);
	buffer[message->size] = '\0';
	message->payload = buffer;
	return 1;
}

/* --------------------------------------------------- what the kernel does -- */

ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int __wrap_accept4(int fd, void *address, void *length, int flags);
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_malloc_trim(size_t pad);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
LIBSSH2_SESSION *__real_libssh2_session_init_ex(void *a, void *b, void *c,
    void *d);
LIBSSH2_SESSION *__wrap_libssh2_session_init_ex(void *a, void *b, void *c,
    void *d);

ssize_t
__wrap_recv(int fd, void *buffer, size_t size, int flags)
{
	if (!play.inside || fd != play.tcp)
		return __real_recv(fd, buffer, size, flags);
	struct str left = str_sub(strbuf_str(&play.server), play.server_at,
	    size);
	if (left.len == 0 && play.server_ended)
		return 0;
	if (left.len == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(buffer, left.data, left.len);
	play.server_at += left.len;
	return (ssize_t)left.len;
}

ssize_t
__wrap_send(int fd, const void *bytes, size_t size, int flags)
{
	if (!play.inside || fd != play.tcp)
		return __real_send(fd, bytes, size, flags);
	if (play.server_full) {
		errno = EAGAIN;
		return -1;
	}
	return (ssize_t)size;
}

/* A client of a listener: says something, and perhaps hangs up. */
int
__wrap_accept4(int fd, void *address, void *length, int flags)
{
	int pair[2];

	(void)fd, (void)address, (void)length, (void)flags;
	errno = EAGAIN;
	if (play.clients == 0 || socketpair(AF_UNIX, SOCK_STREAM |
	    SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	play.clients--;
	struct str text = fuzz_str(&play.in, 64);
	if (text.len > 0)
		(void)!write(pair[1], text.data, text.len);
	int mine = descriptor(pair[1]), theirs = descriptor(pair[0]);
	close(pair[0]);
	close(pair[1]);
	if (text.len % 2)
		close(mine);
	return theirs;
}

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	if (!play.inside)
		return __real_clock_gettime(clock, now);
	*now = (struct timespec){ .tv_sec = play.now_us / SECOND_US,
	    .tv_nsec = play.now_us % SECOND_US * 1000 };
	return 0;
}

int
__wrap_malloc_trim(size_t pad)
{
	(void)pad;
	return 0;
}

void
__wrap__exit(int status)
{
	if (!play.inside)
		__real__exit(status);
	longjmp(play.over, 1);
}

LIBSSH2_SESSION *
__wrap_libssh2_session_init_ex(void *a, void *b, void *c, void *d)
{
	play.session = __real_libssh2_session_init_ex(a, b, c, d);
	return play.session;
}

/* ------------------------------------------------------------- the play -- */

static void
happen(int timeout_ms)
{
	struct fuzz *in = &play.in;
	uint8_t what = fuzz_byte(in);

	switch (what % 8) {
	case 0: case 1:
		say_something(in);
		break;
	case 2: case 3: case 4:
		for (unsigned n = what / 64; n <= 3; n++)
			send_message(in);
		break;
	case 5:
		strbuf_add(&play.server, fuzz_str(in, 255));
		break;
	case 6:
		play.now_us += (int64_t)(timeout_ms >= 0 ? timeout_ms : 1) *
		    1000 + what * 100;
		break;
	default:
		play.server_ended |= what / 8 == 1;
		play.server_full = what / 8 % 4 == 2;
		play.deaf = what / 8 % 8 == 3;
		play.clients += what / 8 % 2;
	}
}

int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	if (!play.inside)
		return __real_poll(fds, n, timeout_ms);
	/* It must not go round without end while nothing happens. */
	assert(++play.turns < TURNS_MAX);
	bool waits = play.server_at < play.server.len;
	if (play.in.left == 0) {
		play.gone = true;
		play.deaf = false;
	} else if (play.queued == 0 && !(waits && !play.up)) {
		happen(timeout_ms);
	}
	waits = play.server_at < play.server.len || play.server_ended;
	for (nfds_t i = 0; i < n; i++) {
		short wanted = fds[i].events;
		fds[i].revents = 0;
		if (i == 0)
			fds[i].revents = (short)((play.queued > 0 || play.gone
			    ? POLLIN : 0) | (wanted & POLLOUT));
		else if (fds[i].fd == play.tcp)
			fds[i].revents = (short)((waits ? wanted & POLLIN : 0) |
			    (play.server_full ? 0 : wanted & POLLOUT));
		else if (play.clients > 0)
			fds[i].revents = wanted & POLLIN;
		else
			__real_poll(&fds[i], 1, 0);
	}
	return 1;
}

static void
begin(struct fuzz in)
{
	static bool loaded;

	if (!loaded) {
		play.null = open("/dev/null", O_RDWR | O_CLOEXEC);
		play.zeros = memfd_create("zeros", MFD_CLOEXEC);
		loaded = library_load() && play.null != -1 &&
		    ftruncate(play.zeros, 70000) == 0;
		assert(loaded);
	}
	int null = play.null, zeros = play.zeros;
	memset(&play, 0, sizeof play);
	play.null = null;
	play.zeros = zeros;
	play.in = in;
	play.now_us = 1000 * (int64_t)SECOND_US;
	play.tcp = descriptor(play.null);
	for (size_t i = 0; i <= CHANNELS; i++)
		play.channels[i].credit = WIRE_CREDIT_FIRST;
	say((struct wire){ .type = WIRE_LOGIN, .payload = "root", .size = 4,
	    .a = 30000, .fd = play.tcp });
}

static void
end(void)
{
	/* As a worker does, it does not take leave of the library, which
	 * asserts that nothing is half sent then. */
	owned_free_all();
	play.inside = owned_counts = false;
	held = 0;
	hurried = false;
	note_size = 0;
	close_range(FIRST_FD, ~0u, 0);
}

/* What libcrypto had in hand when a worker ended in the middle of it. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libcrypto\nleak:libssh2\n";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz in = { data, size };

	if (size < 2)
		return 0;
	begin(in);
	play.inside = owned_counts = true;
	if (fuzz_byte(&play.in) % 8 != 0)
		send_greeting();
	if (setjmp(play.over) == 0)
		worker_run(play.null);
	end();
	return 0;
}
