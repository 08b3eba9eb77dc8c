/*
 * sinks.c - I6: no secret is where it does not belong; I15: no byte that a
 * terminal would obey is printed, and JSON is JSON.
 *
 * All secrets of a story have the same letters in them, which need no escape
 * anywhere: so one search finds them plain, JSON-escaped and
 * percent-encoded, and three find them in base64.
 */
#include "tale.h"
#include "stored.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define CORE "QzCanary"

static const struct str needles[] = {
	STR_INIT(CORE),
	/* In base64, beginning at byte 0, 1 and 2 of three. */
	STR_INIT("UXpDYW5hcn"), STR_INIT("F6Q2FuYXJ5"),
	STR_INIT("RekNhbmFye"),
};

void
sinks_begin(struct sim *sim)
{
	struct rng rng;

	rng_seed(&rng, sim->seed ^ UINT64_C(0x5ec7e7));
	snprintf(sim->spec_secret, sizeof sim->spec_secret,
	    CORE "S%016llx\"\\/+=& %%", (unsigned long long)rng_next(&rng));
	snprintf(sim->github_token, sizeof sim->github_token,
	    "ghp_" CORE "G%016llx", (unsigned long long)rng_next(&rng));
	snprintf(sim->cloud_key, sizeof sim->cloud_key,
	    "rpa_" CORE "K%016llx", (unsigned long long)rng_next(&rng));
}

const char *
sinks_hostile(void)
{
	return "\x1b]52;c;aGk=\x07\x1b[2J\r\xc2\x9b" "31m\xe2\x80\xae"
	    "\xe2\x80\xa8\xe2\x81\xa6\x7f \"mine\" \\";
}

/* ------------------------------------------------------------------ I6 --- */

/* Where the letters are, or -1. */
static ptrdiff_t
find_secret(struct str bytes)
{
	ptrdiff_t at = -1;

	for (size_t i = 0; at < 0 && i < COUNTOF(needles); i++)
		at = str_search(bytes, needles[i]);
	return at;
}

static void
look_at(struct sim *sim, struct str bytes, const char *where)
{
	ptrdiff_t at = bytes.len == 0 ? -1 : find_secret(bytes);

	for (size_t i = 0; at < 0 && bytes.len > 0 && i < sim->ntokens; i++)
		at = str_search(bytes, str_from(sim->tokens[i]));
	if (at >= 0)
		sim_violate(sim, "I6", "a secret is in %s: %.*s", where, 60,
		    bytes.data + (at > 20 ? at - 20 : 0));
}

/* Which secret it is stands after the letters. */
static bool
is_allowed(enum sink sink, struct str found)
{
	bool of_spec = found.len > sizeof CORE - 1 &&
	    found.data[sizeof CORE - 1] == 'S';

	return of_spec && (sink == SINK_CLOUD || sink == SINK_POD);
}

void
sinks_sent(struct sim *sim, enum sink sink, struct str bytes,
    const char *where)
{
	struct str rest = bytes;
	ptrdiff_t at;

	while (rest.len > 0 && (at = find_secret(rest)) >= 0) {
		rest = str_sub(rest, (size_t)at, rest.len);
		if (!is_allowed(sink, rest))
			sim_violate(sim, "I6", "a secret is sent to %s",
			    where);
		rest = str_sub(rest, sizeof CORE - 1, rest.len);
	}
	if (sink == SINK_POD || sink == SINK_GITHUB)
		return;
	for (size_t i = 0; bytes.len > 0 && i < sim->ntokens; i++)
		if (str_search(bytes, str_from(sim->tokens[i])) >= 0)
			sim_violate(sim, "I6", "a token of GitHub is sent to "
			    "%s", where);
}

void
sinks_github_gave(struct sim *sim, struct str body)
{
	static const struct str names[] = { STR_INIT("\"token\""),
		STR_INIT("\"encoded_jit_config\"") };

	for (size_t i = 0; i < COUNTOF(names); i++) {
		ptrdiff_t at = str_search(body, names[i]);
		if (at < 0)
			continue;
		struct str rest = str_sub(body, (size_t)at + names[i].len,
		    body.len), value;
		str_cut(rest, '"', &value);
		value = str_cut(value, '"', &rest);
		/* Its end differs from that of others. */
		while (value.len > 0 && value.data[value.len - 1] == '=')
			value.len--;
		if (value.len < TOKEN_LEN)
			continue;
		char *to = sim->tokens[sim->ntokens % TOKENS];
		memcpy(to, value.data + value.len - TOKEN_LEN, TOKEN_LEN);
		to[TOKEN_LEN] = '\0';
		if (sim->ntokens < TOKENS)
			sim->ntokens++;
	}
}

/* ----------------------------------------------------------------- I15 --- */

/* The length of a character that a terminal may be shown, or 0. */
static size_t
good_length(const unsigned char *at, size_t left)
{
	uint32_t c = at[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3
	    : c < 0xf5 ? 4 : 0;

	if (n == 0 || n > left)
		return 0;
	if (n == 1)
		return (c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t';
	c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (at[i] & 0x3f);
	}
	if (c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0x061c ||
	    c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069))
		return 0;
	return n;
}

static void
look_clean(struct sim *sim, struct str bytes, const char *where)
{
	for (size_t i = 0; i < bytes.len;) {
		size_t n = good_length((const unsigned char *)bytes.data + i,
		    bytes.len - i);
		if (n == 0) {
			sim_violate(sim, "I15", "byte %02x is printed on %s",
			    (unsigned char)bytes.data[i], where);
			return;
		}
		i += n;
	}
}

static bool
is_document(struct str text)
{
	json_tokener *tokener = json_tokener_new();
	json_object *object;
	bool ok;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text.data, (int)text.len);
	ok = json_tokener_get_error(tokener) == json_tokener_success;
	json_object_put(object);
	json_tokener_free(tokener);
	return ok;
}

/* One document, or one on each line. */
static void
look_json(struct sim *sim, struct str text)
{
	struct str rest = text, line;

	if (text.len == 0 || is_document(text))
		return;
	while (rest.len > 0) {
		line = str_cut(rest, '\n', &rest);
		if (!is_document(line)) {
			sim_violate(sim, "I15", "this is no JSON: %.*s",
			    line.len < 200 ? (int)line.len : 200, line.data);
			return;
		}
	}
}

void
sinks_look(struct sim *sim, bool killed)
{
	struct str out = strbuf_str(&sim->out), err = strbuf_str(&sim->err);

	look_at(sim, out, "what is printed");
	look_at(sim, err, "what is said");
	look_at(sim, stored_record(sim), "the lock file");
	look_at(sim, disk_get(sim->disk, WORK_DIR "/journal"), "the journal");
	look_at(sim, disk_get(sim->disk, WORK_DIR "/mutex"), "the mutex");
	look_at(sim, disk_get(sim->disk, PLAN_PATH), "the saved plan");
	look_clean(sim, out, "standard output");
	look_clean(sim, err, "standard error");
	if (sim->json && !killed)
		look_json(sim, out);
}
