/* known_hosts.c - see known_hosts.h */
#include "ssh/known_hosts.h"

#include "base/base64.h"
#include "ssh/blob.h"

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
			*fingerprint = blob_fingerprint(arena, blob);
	}
	arena_release(&scratch);
	return found;
}

static bool
is_pinned(const struct str *pins, size_t npins, struct str seen)
{
	for (size_t i = 0; i < npins; i++)
		if (str_eq(pins[i], seen))
			return true;
	return false;
}

/* The place of a kind in the table: the smaller, the stronger. */
static size_t
rank_of(struct str blob)
{
	const char *kind = kind_of(blob);
	size_t rank = 0;

	while (rank < COUNTOF(kinds) && kinds[rank] != kind)
		rank++;
	return rank;
}

bool
known_hosts_choose(struct arena *arena, struct str scan,
    const struct str *pins, size_t npins, struct str *blob, struct str *seen)
{
	size_t best = COUNTOF(kinds);
	struct str line, text, key;

	*seen = (struct str){0};
	while (scan.len > 0) {
		line = str_trim(str_cut(scan, '\n', &scan));
		str_cut(line, ' ', &line);
		str_cut(line, ' ', &text);
		if (!base64_decode(arena, text, &key) || rank_of(key) >= best)
			continue;
		struct str found = blob_fingerprint(arena, key);
		bool right = npins == 0 || is_pinned(pins, npins, found);
		if (right || best == COUNTOF(kinds))
			*seen = found;
		if (!right)
			continue;
		best = rank_of(key);
		*blob = key;
	}
	return best < COUNTOF(kinds);
}
