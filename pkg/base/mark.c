/* mark.c - see mark.h */
#include "base/mark.h"

#include "base/plant.h"

#include <string.h>

enum { ID_LEN = 32, SHORT_LINEAGE = 6, SHORT_OP = 10 };
_Static_assert(2 + SHORT_LINEAGE + SHORT_OP == MARK_SHORT_LEN, "as mark.h");

static bool
is_hex(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

bool
id128_parse(struct str hex, struct id128 *out)
{
	if (hex.len != ID_LEN || !is_hex(hex))
		return false;
	memcpy(out->hex, hex.data, ID_LEN);
	out->hex[ID_LEN] = '\0';
	return true;
}

struct id128
id128_random(const struct chance *chance)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[16];
	struct id128 id = {0};

	chance->bytes(chance->ctx, bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++) {
		id.hex[2 * i] = digits[bytes[i] >> 4];
		id.hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	return id;
}

struct str
id128_str(const struct id128 *id)
{
	return str_from(id->hex);
}

struct str
mark_name(struct arena *arena, struct str base, const struct id128 *lineage,
    const struct id128 *op)
{
	size_t room = MARK_NAME_MAX - 1 - MARK_SHORT_LEN;
	if (base.len > room) {
		/* Never end in half a character. */
		while (room > 0 && (base.data[room] & 0xc0) == 0x80)
			room--;
		base.len = room;
	}
	return arena_printf(arena, STR_FMT "%spf%.*s%.*s", STR_ARG(base),
	    base.len > 0 ? "-" : "", SHORT_LINEAGE, lineage->hex, SHORT_OP,
	    op->hex);
}

struct str
mark_env(struct arena *arena, const struct id128 *lineage,
    const struct id128 *op, struct str address)
{
	return arena_printf(arena, "v1 %s %s " STR_FMT, lineage->hex, op->hex,
	    STR_ARG(address));
}

bool
mark_parse_env(struct str value, struct mark *mark)
{
	struct str rest;
	if (!str_is(str_cut(value, ' ', &rest), "v1"))
		return false;
	mark->lineage = str_cut(rest, ' ', &rest);
	mark->op = str_cut(rest, ' ', &rest);
	mark->address = rest;
	return mark->lineage.len == ID_LEN && is_hex(mark->lineage) &&
	    mark->op.len == ID_LEN && is_hex(mark->op) &&
	    mark->address.len > 0;
}

bool
mark_parse_name(struct str name, struct str *base, struct mark *mark)
{
	if (name.len < MARK_SHORT_LEN)
		return false;
	struct str before = str_sub(name, 0, name.len - MARK_SHORT_LEN);
	struct str tail = str_sub(name, before.len, MARK_SHORT_LEN);
	if (!str_starts(tail, STR("pf")) ||
	    !is_hex(str_sub(tail, 2, tail.len)))
		return false;
	if (before.len > 0) {
		/* A name without a part for people is the mark alone. */
		if (before.data[before.len - 1] != '-')
			return false;
		before.len--;
	}
	*base = before;
	*mark = (struct mark){
		.lineage = str_sub(tail, 2, SHORT_LINEAGE),
		.op = str_sub(tail, 2 + SHORT_LINEAGE, SHORT_OP),
	};
	return true;
}

/* The two forms of a mark, as far as a thing shows them. */
struct forms {
	bool named, full;
	struct mark name, env;
};

static struct forms
read_forms(struct str name, struct str env_value, bool has_env)
{
	struct forms forms = {0};
	struct str base;
	forms.named = mark_parse_name(name, &base, &forms.name);
	forms.full = has_env && mark_parse_env(env_value, &forms.env);
	return forms;
}

static bool
forms_agree(const struct forms *forms)
{
	return str_starts(forms->env.lineage, forms->name.lineage) &&
	    str_starts(forms->env.op, forms->name.op);
}

static bool
is_prefix(struct str part, const struct id128 *whole)
{
	return str_starts(id128_str(whole), part);
}

enum mark_owner
mark_owner(struct str name, struct str env_value, bool has_env,
    const struct id128 *lineage)
{
	struct forms forms = read_forms(name, env_value, has_env);
	bool name_ours = forms.named && is_prefix(forms.name.lineage, lineage);

	if (!has_env)
		return !forms.named ? MARK_NONE
		    : name_ours     ? MARK_OURS
				    : MARK_OTHER;
	if (!forms.full)
		return !forms.named ? MARK_NONE
		    : name_ours     ? PLANTED(8) ? MARK_OURS : MARK_SUSPECT
				    : MARK_OTHER;
	if (str_eq(forms.env.lineage, id128_str(lineage)))
		return !forms.named        ? MARK_RENAMED
		    : forms_agree(&forms) ? MARK_OURS
					   : MARK_SUSPECT;
	/* Another lineage may begin with our six letters by chance; then its
	 * forms agree with each other. */
	return name_ours && !forms_agree(&forms) ? MARK_SUSPECT : MARK_OTHER;
}

bool
mark_matches(struct str name, struct str env_value, bool has_env,
    const struct id128 *lineage, const struct id128 *op)
{
	struct forms forms = read_forms(name, env_value, has_env);

	if (!forms.named || !is_prefix(forms.name.lineage, lineage) ||
	    !is_prefix(forms.name.op, op))
		return false;
	if (!has_env)
		return true;
	return forms.full && str_eq(forms.env.lineage, id128_str(lineage)) &&
	    str_eq(forms.env.op, id128_str(op));
}

bool
mark_hints(struct str name, struct str env_value, bool has_env,
    const struct id128 *lineage, const struct id128 *op)
{
	struct forms forms = read_forms(name, env_value, has_env);

	return (forms.named && is_prefix(forms.name.lineage, lineage) &&
		   is_prefix(forms.name.op, op)) ||
	    (forms.full && str_eq(forms.env.lineage, id128_str(lineage)) &&
		str_eq(forms.env.op, id128_str(op)));
}
