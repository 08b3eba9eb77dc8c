/*
 * fuzz_redact.c - no secret in what leaves, in any of its forms and however
 * the text was cut.
 *
 * The input is some secrets and a text that has them in it, written in one
 * of the forms that they may take.  The text before and after is chance.
 */
#include "tests/fuzz/fuzz.h"

#include "base/base64.h"
#include "base/secret.h"

enum { SECRETS = 4, FORMS = 8 };

/* The escapes of JSON, one of the ways in which a byte may be spelled. */
static void
add_json(struct strbuf *out, struct str secret, struct fuzz *in)
{
	for (size_t i = 0; i < secret.len; i++) {
		unsigned char c = (unsigned char)secret.data[i];
		bool odd = c < 0x20 || c == '"' || c == '\\';
		if (odd || (c < 0x80 && fuzz_byte(in) % 4 == 0))
			strbuf_addf(out, fuzz_byte(in) % 2 ? "\\u%04x"
							   : "\\u%04X", c);
		else if (c == '/' && fuzz_byte(in) % 2)
			strbuf_adds(out, "\\/");
		else
			strbuf_addc(out, (char)c);
	}
}

static void
add_percent(struct strbuf *out, struct str secret, struct fuzz *in, bool form)
{
	for (size_t i = 0; i < secret.len; i++) {
		unsigned char c = (unsigned char)secret.data[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (form && c == ' ')
			strbuf_addc(out, '+');
		else if (!plain || fuzz_byte(in) % 4 == 0)
			strbuf_addf(out, fuzz_byte(in) % 2 ? "%%%02x"
							   : "%%%02X", c);
		else
			strbuf_addc(out, (char)c);
	}
}

/* With something before and behind, so that it lies across the groups. */
static void
add_base64(struct strbuf *out, struct str secret, struct fuzz *in,
    enum base64_form form)
{
	struct strbuf plain = {0};

	strbuf_add(&plain, str_sub(STR("uvw"), 0, fuzz_below(in, 4)));
	strbuf_add(&plain, secret);
	strbuf_add(&plain, str_sub(STR("xyz"), 0, fuzz_below(in, 4)));
	base64_encode(out, strbuf_str(&plain), form);
	strbuf_release(&plain);
}

static void
add_form(struct strbuf *out, struct str secret, struct fuzz *in, unsigned form)
{
	switch (form) {
	case 0:
		strbuf_add(out, secret);
		break;
	case 1:
		add_json(out, secret, in);
		break;
	case 2:
	case 3:
		add_percent(out, secret, in, form == 3);
		break;
	case 4:
		add_base64(out, secret, in, BASE64_PADDED);
		break;
	case 5:
		add_base64(out, secret, in, BASE64_URL);
		break;
	case 6:
		strbuf_add_json(out, secret);
		break;
	default:
		strbuf_add_escaped(out, secret);
	}
}

/* Printable, as secrets are; the redactor trims and wants six bytes. */
static struct str
take_secret(struct arena *arena, struct fuzz *in)
{
	struct strbuf text = {0};
	struct str raw = fuzz_str(in, 40);

	for (size_t i = 0; i < raw.len; i++)
		strbuf_addc(&text, (char)(' ' + (uint8_t)raw.data[i] % 95));
	struct str secret = arena_str(arena, str_trim(strbuf_str(&text)));
	strbuf_release(&text);
	return secret.len >= 6 ? secret : STR("hunter22/+ %41");
}

/* What stands between the words that were put there is the text as it was:
 * no secret is in any part of it. */
static bool
is_hidden(struct str out, struct str secret)
{
	struct str word = STR("(secret)");

	for (;;) {
		ptrdiff_t at = str_search(out, word);
		if (str_search(at < 0 ? out : str_sub(out, 0, (size_t)at),
		    secret) >= 0)
			return false;
		if (at < 0)
			return true;
		out = str_sub(out, (size_t)at + word.len, out.len);
	}
}

/* The text around stays; the rest is gone. */
static void
check_one(struct str secret, struct fuzz *in)
{
	struct redactor *redactor = redactor_new();
	struct strbuf text = {0}, out = {0}, coded = {0};
	unsigned form = fuzz_byte(in) % FORMS;

	add_form(&coded, secret, in, form);
	redactor_add(redactor, secret);
	/* Letters of no form, so that nothing joins what is hidden. */
	strbuf_adds(&text, "<~");
	strbuf_add(&text, strbuf_str(&coded));
	strbuf_adds(&text, "~>");
	redact(redactor, &out, strbuf_str(&text));
	struct str left = strbuf_str(&out);
	assert(str_search(left, STR("(secret)")) >= 0);
	assert(str_starts(left, STR("<")) && str_ends(left, STR(">")));
	if (form != 4 && form != 5) {
		/* All of it: nothing but quotes and the ends is left. */
		assert(left.len <= 8 + 4 + 2);
	} else {
		/* Of base64 at most what the neighbours decide. */
		assert(left.len <= 8 + 4 + 4 + 4 + 2);
	}
	redactor_free(redactor);
	strbuf_release(&text);
	strbuf_release(&coded);
	strbuf_release(&out);
}

/* What is hidden by one word may, in pieces, be by several in a row. */
static void
fold(struct strbuf *text)
{
	struct str word = STR("(secret)"), left = strbuf_str(text);
	struct strbuf folded = {0};

	while (left.len > 0) {
		if (str_starts(left, word) &&
		    str_ends(strbuf_str(&folded), word)) {
			left = str_sub(left, word.len, left.len);
			continue;
		}
		strbuf_addc(&folded, left.data[0]);
		left = str_sub(left, 1, left.len);
	}
	strbuf_release(text);
	*text = folded;
}

/* Several of them in text of chance: none is left in plain. */
static void
check_all(const struct str *secrets, size_t n, struct str text,
    size_t piece)
{
	struct redactor *redactor = redactor_new();
	struct strbuf out = {0}, pieces = {0};
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		redactor_add(redactor, secrets[i]);
	redact(redactor, &out, text);
	for (size_t i = 0; i < n; i++)
		assert(is_hidden(strbuf_str(&out), secrets[i]));
	/* It grows by no more than the words put there. */
	assert(out.len <= text.len * 8 + 8);
	/* And in pieces it is the same, but for what has no end. */
	if (str_search(text, STR("-----BEGIN")) < 0 &&
	    str_search(text, STR("eyJ")) < 0 &&
	    str_search(text, STR("gh")) < 0) {
		while (at < text.len) {
			size_t more = redact_part(redactor, &pieces,
			    str_sub(text, at, piece));
			assert(more <= piece);
			if (more == 0)
				piece *= 2;
			at += more;
			if (at + piece >= text.len)
				break;
		}
		redact(redactor, &pieces, str_sub(text, at, text.len));
		fold(&pieces);
		fold(&out);
		assert(str_eq(strbuf_str(&pieces), strbuf_str(&out)));
	}
	strbuf_release(&pieces);
	strbuf_release(&out);
	redactor_free(redactor);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct fuzz in = { data, size };
	struct str secrets[SECRETS];
	struct strbuf text = {0};
	size_t n = 1 + fuzz_below(&in, SECRETS);

	for (size_t i = 0; i < n; i++)
		secrets[i] = take_secret(&arena, &in);
	for (size_t i = 0; i < n; i++)
		check_one(secrets[i], &in);
	size_t piece = 2100 + fuzz_below(&in, 256);
	/* Secrets in plain amid the rest of the input, and much between. */
	while (in.left > 0) {
		uint8_t what = fuzz_byte(&in);
		if (what % 4 == 0)
			strbuf_add(&text, secrets[what / 4 % n]);
		else if (what % 4 == 1)
			strbuf_pad(&text, what, '.');
		else
			strbuf_add(&text, fuzz_str(&in, 16));
	}
	check_all(secrets, n, strbuf_str(&text), piece);
	strbuf_release(&text);
	arena_release(&arena);
	return 0;
}
