/* known_hosts.c - see known_hosts.h */
#include "ssh/known_hosts.h"

#include <sys/types.h>
#include <sha256.h>

#include "base/base64.h"

static const char *const kinds[] = {
	"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521",
};

/* A blob begins with its kind, as a string of SSH; NULL for another one. */
static const char *
kind_of(struct str blob)
{
	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		struct str kind = str_from(kinds[i]);
		char head[4] = { 0, 0, 0, (char)kind.len };
		if (blob.len > sizeof(head) + kind.len &&
		    str_starts(blob, (struct str){ head, sizeof(head) }) &&
		    str_eq(str_sub(blob, sizeof(head), kind.len), kind))
			return kinds[i];
	}
	return NULL;
}

/* As target_alias() makes them; in a known_hosts file `*`, `,`, `|`, `@` and
 * `!` would mean something. */
static bool
is_alias(struct str alias)
{
	for (size_t i = 0; i < alias.len; i++) {
		char c = alias.data[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return str_starts(alias, STR("podform-"));
}

/* "alias kind base64": the parts, of a line that is one of ours. */
static bool
read_line(struct arena *arena, struct str line, struct str *alias,
    struct str *blob)
{
	struct str rest, text, kind;
	const char *found;

	*alias = str_cut(line, ' ', &rest);
	kind = str_cut(rest, ' ', &text);
	if (!is_alias(*alias) || !base64_decode(arena, text, blob))
		return false;
	found = kind_of(*blob);
	return found != NULL && str_is(kind, found);
}

bool
known_hosts_put(struct strbuf *out, struct str old, struct str alias,
    struct str blob, bool (*keep)(void *ctx, struct str alias), void *ctx)
{
	struct arena scratch = {0};
	const char *kind = kind_of(blob);
	struct str line, theirs, ignored;

	if (kind == NULL || !is_alias(alias))
		return false;
	while (old.len > 0) {
		line = str_cut(old, '\n', &old);
		if (!read_line(&scratch, line, &theirs, &ignored) ||
		    str_eq(theirs, alias) ||
		    (keep != NULL && !keep(ctx, theirs)))
			continue;
		strbuf_add(out, line);
		strbuf_addc(out, '\n');
	}
	arena_release(&scratch);
	strbuf_add(out, alias);
	strbuf_addf(out, " %s ", kind);
	base64_encode(out, blob, BASE64_PADDED);
	strbuf_addc(out, '\n');
	return true;
}

static struct str
fingerprint_of(struct arena *arena, struct str blob)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct strbuf out = {0};
	SHA2_CTX state;

	SHA256Init(&state);
	SHA256Update(&state, (const unsigned char *)blob.data, blob.len);
	SHA256Final(digest, &state);
	strbuf_adds(&out, "SHA256:");
	base64_encode(&out, (struct str){ (const char *)digest,
	    sizeof(digest) }, BASE64_BARE);
	struct str text = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return text;
}

bool
known_hosts_find(struct arena *arena, struct str text, struct str alias,
    struct str *fingerprint)
{
	struct arena scratch = {0};
	struct str line, theirs, blob;
	bool found = false;

	while (text.len > 0 && !found) {
		line = str_cut(text, '\n', &text);
		found = read_line(&scratch, line, &theirs, &blob) &&
		    str_eq(theirs, alias);
		if (found)
			*fingerprint = fingerprint_of(arena, blob);
	}
	arena_release(&scratch);
	return found;
}
