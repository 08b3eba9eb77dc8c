/* diag.c - collecting what went wrong; see diag.h, printing in diag_print.c */
#include "base/diag.h"

#include <string.h>

#include "base/redact_form.h"
#include "base/secret.h"
#include "base/strbuf.h"

uint32_t
sources_add(struct sources *sources, struct str name, struct str text)
{
	*ARENA_PUSH(sources->arena, &sources->list) =
	    (struct source){ name, text };
	return (uint32_t)sources->list.n;
}

const struct source *
sources_get(const struct sources *sources, uint32_t index)
{
	if (sources == NULL || index == 0 || index > sources->list.n)
		return NULL;
	return &sources->list.items[index - 1];
}

/* What others said is a part of many messages: no token leaves that way. */
static struct str
say(struct arena *arena, const char *format, va_list args)
{
	struct str text = arena_vprintf(arena, format, args);
	struct strbuf out = {0};
	size_t at = 0;

	while (at < text.len && redact_form(text, at) == 0)
		at++;
	if (at == text.len)
		return text;
	redact(NULL, &out, text);
	text = arena_str(arena, strbuf_str(&out));
	strbuf_release(&out);
	return text;
}

static void
report(struct diags *diags, enum severity severity, const char *code,
    struct span span, struct str message)
{
	struct diag *diag = ARENA_NEW(diags->arena, struct diag);

	diag->severity = severity;
	diag->code = code;
	diag->span = span;
	diag->message = message;
	*ARENA_PUSH(diags->arena, &diags->list) = diag;
	diags->last = diag;
	if (severity == SEVERITY_ERROR)
		diags->errors++;
	else
		diags->warnings++;
}

void
diag_error(struct diags *diags, const char *code, struct span span,
    const char *format, ...)
{
	va_list args;
	va_start(args, format);
	report(diags, SEVERITY_ERROR, code, span,
	    say(diags->arena, format, args));
	va_end(args);
}

void
diag_warning(struct diags *diags, const char *code, struct span span,
    const char *format, ...)
{
	va_list args;
	va_start(args, format);
	report(diags, SEVERITY_WARNING, code, span,
	    say(diags->arena, format, args));
	va_end(args);
}

void
diag_errno(struct diags *diags, const char *code, struct span span, int error,
    const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct str what = say(diags->arena, format, args);
	va_end(args);
	report(diags, SEVERITY_ERROR, code, span,
	    arena_printf(diags->arena, STR_FMT ": %s", STR_ARG(what),
		strerror(error < 0 ? -error : error)));
}

void
diag_hint(struct diags *diags, const char *format, ...)
{
	va_list args;

	if (diags->last == NULL)
		return;
	va_start(args, format);
	*ARENA_PUSH(diags->arena, &diags->last->hints) =
	    say(diags->arena, format, args);
	va_end(args);
}

void
diag_related(struct diags *diags, struct span span, const char *format, ...)
{
	va_list args;

	if (diags->last == NULL)
		return;
	va_start(args, format);
	*ARENA_PUSH(diags->arena, &diags->last->related) = (struct diag_note){
		span, say(diags->arena, format, args),
	};
	va_end(args);
}

void
diag_while(struct diags *diags, struct span span, const char *format, ...)
{
	va_list args;

	if (diags->last == NULL)
		return;
	va_start(args, format);
	*ARENA_PUSH(diags->arena, &diags->last->causes) = (struct diag_note){
		span, say(diags->arena, format, args),
	};
	va_end(args);
}

struct str
span_place(struct arena *arena, const struct sources *sources,
    struct span span, bool with_column)
{
	const struct source *source = sources_get(sources, span.source);

	if (source == NULL)
		return STR("");
	if (span.line == 0)
		return source->name;
	if (!with_column || span.column == 0)
		return arena_printf(arena, STR_FMT ":%u", STR_ARG(source->name),
		    span.line);
	return arena_printf(arena, STR_FMT ":%u:%u", STR_ARG(source->name),
	    span.line, span.column);
}

static bool
ends_line(char byte)
{
	return byte == '\n' || byte == '\r';
}

struct str
span_line(const struct sources *sources, struct span span)
{
	const struct source *source = sources_get(sources, span.source);

	if (source == NULL || span.line == 0)
		return (struct str){0};
	struct str text = source->text;
	size_t from = span.offset < text.len ? span.offset : text.len;
	/* Between CR and LF is still the line that they end. */
	if (from > 0 && from < text.len && text.data[from] == '\n' &&
	    text.data[from - 1] == '\r')
		from--;
	size_t to = from;
	while (from > 0 && !ends_line(text.data[from - 1]))
		from--;
	while (to < text.len && !ends_line(text.data[to]))
		to++;
	return text.data != NULL ? str_sub(text, from, to - from) : STR("");
}
