/* key_file.c - see key_file.h */
#include "ssh/key_file.h"

#include <string.h>

#include "base/base64.h"
#include "ssh/blob.h"

#define OPENSSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define OPENSSH_END "\n-----END OPENSSH PRIVATE KEY-----"
#define OPENSSH_MAGIC "openssh-key-v1"	/* and a NUL */

/* Names of key types, and of their curves. */
static const struct {
	const char *type, *curve;
} types[] = {
	[CRYPTO_ED25519] = { "ssh-ed25519", NULL },
	[CRYPTO_ECDSA_256] = { "ecdsa-sha2-nistp256", "nistp256" },
	[CRYPTO_ECDSA_384] = { "ecdsa-sha2-nistp384", "nistp384" },
	[CRYPTO_ECDSA_521] = { "ecdsa-sha2-nistp521", "nistp521" },
};

static void
bad(struct key_file *out, const char *why, const char *hint)
{
	crypto_key_free(out->key);
	*out = (struct key_file){
		.verdict = KEY_FILE_BAD, .why = why, .hint = hint,
	};
}

static void
bad_rsa(struct key_file *out)
{
	bad(out, "is an RSA key, which the SSH library can use with old "
	    "servers only",
	    "make another one: ssh-keygen -t ed25519");
}

/* --------------------------------------------------------- recognizing ---- */

/*
 * What people take for a private key, by how it begins.  The order matters:
 * the first that fits is said.
 */
static const struct look {
	const char *begins;
	const char *why, *hint;
} looks[] = {
	{ "PuTTY-User-Key-File-", "is in PuTTY's format",
	  "convert it: puttygen KEY.ppk -O private-openssh -o id_ed25519" },
	{ "---- BEGIN SSH2 ", "is a public key",
	  "name the private key, the file without .pub" },
	{ "-----BEGIN PUBLIC KEY-----", "is a public key",
	  "name the private key" },
	{ "-----BEGIN RSA PUBLIC KEY-----", "is a public key",
	  "name the private key" },
	{ "-----BEGIN CERTIFICATE-----", "is a certificate, not a key",
	  "name a private key that ssh-keygen has made" },
	{ "-----BEGIN DSA PRIVATE KEY-----", "is a DSA key, which no current "
	  "server takes", "make another one: ssh-keygen -t ed25519" },
};

static bool
is_public_line(struct str text)
{
	static const char *const begins[] = {
		"ssh-ed25519 ", "ssh-rsa ", "ssh-dss ", "ecdsa-sha2-",
		"sk-ssh-ed25519@", "sk-ecdsa-sha2-",
	};
	for (size_t i = 0; i < COUNTOF(begins); i++)
		if (str_starts(text, str_from(begins[i])))
			return true;
	return false;
}

/* Is it plainly something else?  Then say so. */
static bool
recognize(struct str text, struct key_file *out)
{
	if (str_trim(text).len == 0) {
		bad(out, "is empty", NULL);
		return true;
	}
	if (is_public_line(text)) {
		bad(out, "is a public key",
		    "name the private key, the file without .pub");
		return true;
	}
	for (size_t i = 0; i < COUNTOF(looks); i++)
		if (str_starts(text, str_from(looks[i].begins))) {
			bad(out, looks[i].why, looks[i].hint);
			return true;
		}
	if (str_starts(text, STR("-----BEGIN")) &&
	    str_find(text, '\r') >= 0) {
		bad(out, "has the line ends of Windows (CRLF), which OpenSSH "
		    "refuses, too",
		    "convert it: sed -i 's/\\r$//' KEY");
		return true;
	}
	return false;
}

/* ------------------------------------------------------ OpenSSH's format -- */

/* The bytes between the lines, decoded. */
static bool
unarmor(struct arena *arena, struct str text, struct str *out)
{
	struct str body = str_sub(text, sizeof OPENSSH_BEGIN - 1, text.len);
	ptrdiff_t end = str_search(body, STR(OPENSSH_END));
	struct strbuf joined = {0};
	bool ok;

	if (end < 0)
		return false;
	strbuf_pad(&joined, text.len, 0);	/* a move would leave copies */
	strbuf_reset(&joined);
	struct str after = str_sub(body,
	    (size_t)end + sizeof OPENSSH_END - 1, body.len);
	if (str_trim(after).len != 0) {
		strbuf_release(&joined);
		return false;
	}
	body = str_sub(body, 0, (size_t)end);
	while (body.len > 0)
		strbuf_add(&joined, str_cut(body, '\n', &body));
	ok = base64_decode(arena, strbuf_str(&joined), out);
	if (joined.data != NULL)
		explicit_bzero(joined.data, joined.len);
	strbuf_release(&joined);
	return ok;
}

/* The key in the private part, after its type; the reader stands there. */
static struct crypto_key *
read_numbers(struct blob *blob, enum crypto_kind kind, const char **why)
{
	if (kind == CRYPTO_ED25519) {
		struct str public = blob_string(blob);
		struct str both = blob_string(blob);
		*why = "is damaged";
		if (blob->failed || public.len != 32 || both.len != 64 ||
		    memcmp(both.data + 32, public.data, 32) != 0)
			return NULL;
		return crypto_key_ed25519((const unsigned char *)both.data,
		    why);
	}
	struct str curve = blob_string(blob);
	struct str point = blob_string(blob);
	struct str scalar = blob_string(blob);
	*why = "is damaged";
	if (blob->failed || !str_is(curve, types[kind].curve))
		return NULL;
	return crypto_key_ecdsa(kind, scalar, point, why);
}

static bool
is_padding(struct str bytes)
{
	if (bytes.len >= 8)
		return false;
	for (size_t i = 0; i < bytes.len; i++)
		if ((size_t)(unsigned char)bytes.data[i] != i + 1)
			return false;
	return true;
}

static bool
kind_of(struct str type, enum crypto_kind *kind)
{
	for (size_t i = 0; i < COUNTOF(types); i++)
		if (str_is(type, types[i].type)) {
			*kind = (enum crypto_kind)i;
			return true;
		}
	return false;
}

static void
read_private(struct arena *arena, struct str bytes, struct key_file *out)
{
	struct blob blob = { .left = bytes };
	const char *why = "is damaged";
	enum crypto_kind kind;

	uint32_t check = blob_u32(&blob);
	bool same = check == blob_u32(&blob);
	struct str type = blob_string(&blob);
	if (blob.failed || !same || !kind_of(type, &kind)) {
		bad(out, why, NULL);
		return;
	}
	out->key = read_numbers(&blob, kind, &why);
	if (out->key == NULL) {
		bad(out, why, NULL);
		return;
	}
	blob_string(&blob);		/* comment */
	struct str mine = key_file_blob(arena, out->key);
	if (blob.failed || !is_padding(blob.left) || !str_eq(mine, out->blob))
		bad(out, "is damaged", NULL);
}

static void
read_openssh(struct arena *arena, struct str text, struct key_file *out)
{
	struct str bytes;
	enum crypto_kind kind;

	if (!unarmor(arena, text, &bytes) ||
	    !str_starts(bytes, (struct str){ OPENSSH_MAGIC,
		sizeof OPENSSH_MAGIC })) {
		bad(out, "is damaged", NULL);
		return;
	}
	struct blob blob = {
		.left = str_sub(bytes, sizeof OPENSSH_MAGIC, bytes.len),
	};
	struct str cipher = blob_string(&blob);
	struct str kdf = blob_string(&blob);
	struct str options = blob_string(&blob);
	uint32_t keys = blob_u32(&blob);
	struct str public = blob_string(&blob);
	struct str private = blob_string(&blob);
	struct str type = blob_key_type(public);
	bool plain = str_is(cipher, "none");
	if (!blob.failed && str_is(type, "ssh-rsa"))
		bad_rsa(out);
	else if (!blob.failed && str_starts(type, STR("sk-")))
		bad(out, "belongs to a security key (FIDO), which the SSH "
		    "library cannot use",
		    "make another one: ssh-keygen -t ed25519");
	else if (!blob.failed && !kind_of(type, &kind))
		bad(out, "is of a kind that podform does not know",
		    "make another one: ssh-keygen -t ed25519");
	/* What follows an encrypted key is the tag of its cipher. */
	else if (blob.failed || keys != 1 || (plain && blob.left.len != 0) ||
	    plain != str_is(kdf, "none") || (plain && options.len != 0))
		bad(out, "is damaged", NULL);
	else {
		out->blob = arena_str(arena, public);
		if (plain)
			read_private(arena, private, out);
		else
			out->verdict = KEY_FILE_ENCRYPTED;
	}
	explicit_bzero((char *)(uintptr_t)bytes.data, bytes.len);
}

/* ---------------------------------------------------------------- PEM ---- */

static void
read_pem(struct arena *arena, struct str text, struct key_file *out)
{
	const char *why;

	if (str_search(text, STR("PRIVATE KEY-----")) < 0) {
		bad(out, "is no private key",
		    "name one that ssh-keygen has made");
		return;
	}
	if (str_search(text, STR("ENCRYPTED")) >= 0) {
		if (str_search(text, STR("BEGIN RSA ")) >= 0)
			bad_rsa(out);
		else
			out->verdict = KEY_FILE_ENCRYPTED;
		return;
	}
	out->key = crypto_key_pem(text, &why);
	if (out->key == NULL)
		bad(out, "is damaged, or of a kind that podform does not know",
		    "make another one: ssh-keygen -t ed25519");
	else if (crypto_key_kind(out->key) == CRYPTO_RSA)
		bad_rsa(out);
	else
		out->blob = key_file_blob(arena, out->key);
}

void
key_file_read(struct arena *arena, struct str bytes, struct key_file *out)
{
	*out = (struct key_file){ .verdict = KEY_FILE_GOOD };
	if (recognize(bytes, out))
		return;
	if (str_starts(bytes, STR(OPENSSH_BEGIN))) {
		read_openssh(arena, bytes, out);
		return;
	}
	read_pem(arena, bytes, out);
}

/* ------------------------------------------------------------- writing ---- */

struct str
key_file_blob(struct arena *arena, const struct crypto_key *key)
{
	enum crypto_kind kind = crypto_key_kind(key);
	struct str public = crypto_key_public(key, arena);
	struct strbuf blob = {0};

	if (public.data == NULL)
		return (struct str){0};
	blob_put_string(&blob, str_from(types[kind].type));
	if (types[kind].curve != NULL)
		blob_put_string(&blob, str_from(types[kind].curve));
	blob_put_string(&blob, public);
	struct str out = arena_str(arena, strbuf_str(&blob));
	strbuf_release(&blob);
	return out;
}

static void
put_private(struct strbuf *out, const unsigned char seed[32],
    struct str public, struct str comment, uint32_t check)
{
	blob_put_u32(out, check);
	blob_put_u32(out, check);
	blob_put_string(out, STR("ssh-ed25519"));
	blob_put_string(out, public);
	blob_put_u32(out, 64);
	strbuf_add(out, (struct str){ (const char *)seed, 32 });
	strbuf_add(out, public);
	blob_put_string(out, comment);
	for (uint8_t i = 1; out->len % 8 != 0; i++)
		blob_put_u8(out, i);
}

/* Room at once: a buffer that moves leaves copies of a secret behind. */
static void
reserve(struct strbuf *buf)
{
	strbuf_pad(buf, 2048, 0);
	strbuf_reset(buf);
}

static void
wipe(struct strbuf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->len);
	strbuf_release(buf);
}

static void
add_lines(struct strbuf *out, struct str text)
{
	enum { WIDTH = 70 };
	for (size_t i = 0; i < text.len; i += WIDTH) {
		strbuf_add(out, str_sub(text, i, WIDTH));
		strbuf_addc(out, '\n');
	}
}

bool
key_file_write(const struct crypto_key *key, struct str comment,
    uint32_t check, struct strbuf *out, const char **why)
{
	struct strbuf private = {0}, whole = {0}, text = {0};
	struct arena arena = {0};
	unsigned char seed[32];

	reserve(&private);
	reserve(&whole);
	reserve(&text);
	*why = "libcrypto does not hand out the new key";
	if (!crypto_key_seed(key, seed))
		return false;
	put_private(&private, seed, crypto_key_public(key, &arena), comment,
	    check);
	explicit_bzero(seed, sizeof seed);
	strbuf_add(&whole, (struct str){ OPENSSH_MAGIC,
	    sizeof OPENSSH_MAGIC });
	blob_put_string(&whole, STR("none"));
	blob_put_string(&whole, STR("none"));
	blob_put_string(&whole, STR(""));
	blob_put_u32(&whole, 1);
	blob_put_string(&whole, key_file_blob(&arena, key));
	blob_put_string(&whole, strbuf_str(&private));
	base64_encode(&text, strbuf_str(&whole), BASE64_PADDED);
	strbuf_adds(out, OPENSSH_BEGIN);
	add_lines(out, strbuf_str(&text));
	/* Without its first line end, which the last line has. */
	strbuf_adds(out, &OPENSSH_END[1]);
	strbuf_addc(out, '\n');
	wipe(&private);
	wipe(&whole);
	wipe(&text);
	arena_release(&arena);
	return true;
}

void
key_file_public_line(struct strbuf *out, struct str blob, struct str comment)
{
	strbuf_add(out, blob_key_type(blob));
	strbuf_addc(out, ' ');
	base64_encode(out, blob, BASE64_PADDED);
	if (comment.len > 0)
		strbuf_addc(out, ' ');
	for (size_t i = 0; i < comment.len; i++) {
		unsigned char c = (unsigned char)comment.data[i];
		strbuf_addc(out, c < ' ' || c == 0x7f ? '?' : (char)c);
	}
	strbuf_addc(out, '\n');
}

bool
key_file_parse_line(struct arena *arena, struct str line, struct str *blob,
    struct str *comment)
{
	struct str rest;
	struct str type = str_cut(str_trim(line), ' ', &rest);
	struct str text = str_cut(rest, ' ', comment);

	*comment = str_trim(*comment);
	return is_public_line(arena_printf(arena, STR_FMT " ",
	    STR_ARG(type))) && text.len > 0 &&
	    base64_decode(arena, text, blob) &&
	    str_eq(blob_key_type(*blob), type);
}

/* ------------------------------------------------------------- signing ---- */

bool
key_file_sign(struct arena *arena, const struct crypto_key *key,
    struct str data, struct str *out, const char **why)
{
	struct strbuf blob = {0}, numbers = {0};
	struct str signature, r, s;

	if (!crypto_sign(key, data, arena, &signature, why))
		return false;
	blob_put_string(&blob, str_from(types[crypto_key_kind(key)].type));
	if (crypto_key_kind(key) == CRYPTO_ED25519)
		blob_put_string(&blob, signature);
	else if (crypto_ecdsa_parts(signature, arena, &r, &s)) {
		blob_put_number(&numbers, r);
		blob_put_number(&numbers, s);
		blob_put_string(&blob, strbuf_str(&numbers));
	}
	*out = arena_str(arena, strbuf_str(&blob));
	strbuf_release(&numbers);
	strbuf_release(&blob);
	return true;
}
