/* json_write.c - the writer; see json.h */
#include <assert.h>

#include "base/json.h"
#include "base/units.h"

/* One bit of inline_ for each level. */
enum { DEPTH_MAX = 63 };

static bool
on_one_line(const struct json_writer *w)
{
	return w->indent == 0 || (w->inline_ >> w->depth & 1) != 0;
}

static void
new_line(struct json_writer *w)
{
	strbuf_addc(w->out, '\n');
	strbuf_pad(w->out, (size_t)w->indent * w->depth, ' ');
}

/* What stands between the one before and a key or element. */
static void
separate(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->need_comma)
		strbuf_addc(w->out, ',');
	if (w->depth > 0 && !on_one_line(w))
		new_line(w);
	else if (w->need_comma && w->indent > 0)
		strbuf_addc(w->out, ' ');
	w->need_comma = true;
}

static void
begin(struct json_writer *w, char bracket, bool one_line)
{
	assert(bracket == '{' || bracket == '[');
	assert(w->depth < DEPTH_MAX);
	one_line = one_line || (w->inline_ >> w->depth & 1) != 0;
	separate(w);
	strbuf_addc(w->out, bracket);
	w->depth++;
	w->inline_ &= ~((uint64_t)1 << w->depth);
	w->inline_ |= (uint64_t)one_line << w->depth;
	w->need_comma = false;
}

void
json_begin(struct json_writer *w, char bracket)
{
	begin(w, bracket, false);
}

void
json_begin_inline(struct json_writer *w, char bracket)
{
	begin(w, bracket, true);
}

void
json_end(struct json_writer *w, char bracket)
{
	bool one_line = on_one_line(w) || !w->need_comma;

	assert(bracket == '}' || bracket == ']');
	assert(w->depth > 0 && !w->after_key);
	w->depth--;
	if (!one_line)
		new_line(w);
	strbuf_addc(w->out, bracket);
	w->need_comma = true;
}

void
json_key(struct json_writer *w, const char *key)
{
	json_key_str(w, str_from(key));
}

void
json_key_str(struct json_writer *w, struct str key)
{
	assert(!w->after_key);
	separate(w);
	strbuf_add_json(w->out, key);
	strbuf_addc(w->out, ':');
	if (w->indent > 0)
		strbuf_addc(w->out, ' ');
	w->after_key = true;
}

void
json_put_str(struct json_writer *w, struct str text)
{
	separate(w);
	strbuf_add_json(w->out, text);
}

void
json_put_int(struct json_writer *w, int64_t number)
{
	separate(w);
	strbuf_addf(w->out, "%lld", (long long)number);
}

void
json_put_bool(struct json_writer *w, bool truth)
{
	separate(w);
	strbuf_adds(w->out, truth ? "true" : "false");
}

void
json_put_null(struct json_writer *w)
{
	separate(w);
	strbuf_adds(w->out, "null");
}

void
json_put_usd(struct json_writer *w, int64_t microusd)
{
	uint64_t micro = microusd < 0 ? 0 - (uint64_t)microusd
				      : (uint64_t)microusd;
	uint64_t part = micro % MICROUSD;
	int decimals = 6;

	separate(w);
	strbuf_addf(w->out, "%s%llu", microusd < 0 ? "-" : "",
	    (unsigned long long)(micro / MICROUSD));
	if (part == 0)
		return;
	for (; part % 10 == 0; part /= 10)
		decimals--;
	strbuf_addf(w->out, ".%0*llu", decimals, (unsigned long long)part);
}

void
json_put_raw(struct json_writer *w, struct str json)
{
	separate(w);
	strbuf_add(w->out, json);
}

void
json_member_str(struct json_writer *w, const char *key, struct str text)
{
	if (text.data == NULL)
		return;
	json_key(w, key);
	json_put_str(w, text);
}

void
json_member_int(struct json_writer *w, const char *key, int64_t number)
{
	json_key(w, key);
	json_put_int(w, number);
}

void
json_member_bool(struct json_writer *w, const char *key, bool truth)
{
	json_key(w, key);
	json_put_bool(w, truth);
}

void
json_member_usd(struct json_writer *w, const char *key, int64_t microusd)
{
	json_key(w, key);
	json_put_usd(w, microusd);
}
