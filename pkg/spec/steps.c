/*
 * steps.c - what is done inside of a pod, as digests; see spec.h.
 *
 * A step is done again when its digest is another.  That of a copy is over
 * names, sizes, executable bits and content; above CONTENT_MAX bytes in all
 * the content is left out, since reading it at every plan would take longer
 * than anybody waits.  Files are followed only where they stay below the
 * directory of the spec: what is copied goes to a machine of somebody else.
 */
#include <errno.h>
#include <sha256.h>

#include "spec/codes.h"
#include "spec/load.h"

enum {
	CONTENT_MAX = 64 << 20,		/* bytes whose content counts */
	COPY_MAX = 512 << 20,		/* bytes of one copy */
	COPY_FILES_MAX = 10000,
	COPY_DEPTH_MAX = 32,
};

static const char what[] = "what a setup step copies";

struct file {
	struct str path, name;		/* name: below the step's `from` */
	bool directory, program;
	uint64_t size;
};

struct copy {
	struct loader *loader;
	struct span span;
	struct str outer;		/* the spec's directory, resolved */
	VEC_OF(struct file) files;
	uint64_t size;
};

static void
put(SHA2_CTX *sha, struct str text)
{
	static const uint8_t end[1] = { 0 };

	SHA256Update(sha, (const uint8_t *)(text.data != NULL ? text.data :
	    ""), text.len);
	SHA256Update(sha, end, sizeof end);
}

static struct str
finish(struct arena *arena, SHA2_CTX *sha)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];

	SHA256End(sha, hex);
	return arena_printf(arena, "sha256:%s", hex);
}

/* ------------------------------------------------- finding the files --- */

static bool
refuse(struct copy *copy, struct str name, const char *why)
{
	diag_error(copy->loader->diags, E_FILE_REFUSED, copy->span,
	    "%s holds '" STR_FMT "', which is %s", what, STR_ARG(name), why);
	return false;
}

static bool
refuse_errno(struct copy *copy, struct str path, int error)
{
	diag_errno(copy->loader->diags, E_FILE_REFUSED, copy->span, error,
	    "cannot read '" STR_FMT "', which a setup step copies",
	    STR_ARG(path));
	return false;
}

/* A link may lead to another place below the spec's directory, no further. */
static bool
stays_below(struct copy *copy, struct str path)
{
	const struct fs *fs = copy->loader->options->fs;
	struct arena *scratch = &copy->loader->scratch;
	struct str inner;

	int result = fs->resolve(fs->ctx, scratch, arena_cstr(scratch, path),
	    &inner);
	if (result < 0)
		return refuse_errno(copy, path, -result);
	if (str_eq(copy->outer, inner) || path_is_inside(copy->outer, inner))
		return true;
	diag_error(copy->loader->diags, E_OUTSIDE, copy->span, "'" STR_FMT
	    "', which a setup step copies, leads out of the directory of the "
	    "spec: to '" STR_FMT "'", STR_ARG(path), STR_ARG(inner));
	return false;
}

static bool collect(struct copy *copy, struct str path, struct str name,
    int depth);

static bool
collect_directory(struct copy *copy, struct str path, struct str name,
    int depth)
{
	const struct fs *fs = copy->loader->options->fs;
	struct arena *scratch = &copy->loader->scratch;
	struct str *names;
	size_t n;

	if (depth >= COPY_DEPTH_MAX)
		return refuse(copy, name, "too deep a directory");
	int result = fs->list(fs->ctx, scratch, arena_cstr(scratch, path),
	    &names, &n);
	if (result < 0)
		return refuse_errno(copy, path, -result);
	for (size_t i = 0; i < n; i++)
		if (!collect(copy, arena_printf(scratch, STR_FMT "/" STR_FMT,
			STR_ARG(path), STR_ARG(names[i])), name.len == 0 ?
		    names[i] : arena_printf(scratch, STR_FMT "/" STR_FMT,
			STR_ARG(name), STR_ARG(names[i])), depth + 1))
			return false;
	return true;
}

/* One file or directory and all below it; reads nothing yet. */
static bool
collect(struct copy *copy, struct str path, struct str name, int depth)
{
	const struct fs *fs = copy->loader->options->fs;
	const char *full = arena_cstr(&copy->loader->scratch, path);
	struct fs_info info;
	bool link = false;

	int result = fs->stat(fs->ctx, full, false, &info);
	if (result >= 0 && info.type == FS_SYMLINK) {
		link = true;
		if (!stays_below(copy, path))
			return false;
		result = fs->stat(fs->ctx, full, true, &info);
	}
	if (result < 0)
		return refuse_errno(copy, path, -result);
	/* Links to directories could lead round in a ring. */
	if (info.type != FS_REGULAR && (info.type != FS_DIRECTORY ||
		(link && depth > 0)))
		return refuse(copy, name.len > 0 ? name : path, link ?
		    "a link to no regular file" :
		    "neither a regular file nor a directory");
	*ARENA_PUSH(&copy->loader->scratch, &copy->files) = (struct file){
		.path = path, .name = name,
		.directory = info.type == FS_DIRECTORY,
		.program = info.type == FS_REGULAR && (info.mode & 0100),
		.size = info.type == FS_REGULAR ? info.size : 0,
	};
	if (info.type == FS_REGULAR)
		copy->size += info.size < COPY_MAX ? info.size :
		    (uint64_t)COPY_MAX + 1;
	if (copy->size > COPY_MAX || copy->files.n > COPY_FILES_MAX) {
		diag_error(copy->loader->diags, E_TOO_LARGE, copy->span,
		    "%s is more than %d MiB or %d files", what,
		    COPY_MAX >> 20, COPY_FILES_MAX);
		diag_hint(copy->loader->diags, "let a `run` step fetch it, "
		    "or keep it on a network volume");
		return false;
	}
	return info.type == FS_REGULAR ||
	    collect_directory(copy, path, name, depth);
}

/* -------------------------------------------------------- the digest --- */

static bool
put_content(struct copy *copy, SHA2_CTX *sha, const struct file *file)
{
	const struct fs *fs = copy->loader->options->fs;
	uint8_t bytes[16384];
	uint64_t left = CONTENT_MAX;
	ssize_t got = 0;

	int fd = fs->open(fs->ctx, arena_cstr(&copy->loader->scratch,
	    file->path), FS_READ | FS_FOLLOW, 0);
	if (fd < 0)
		return refuse_errno(copy, file->path, -fd);
	do {
		got = fs->read(fs->ctx, fd, bytes, sizeof bytes);
		if (got > 0) {
			SHA256Update(sha, bytes, (size_t)got);
			left -= (uint64_t)got < left ? (uint64_t)got : left;
		}
	} while ((got > 0 && left > 0) || got == -EINTR);
	fs->close(fs->ctx, fd);
	return got >= 0 || refuse_errno(copy, file->path, (int)-got);
}

static bool
put_files(struct copy *copy, SHA2_CTX *sha)
{
	for (size_t i = 0; i < copy->files.n; i++) {
		const struct file *file = &copy->files.items[i];
		put(sha, file->name);
		put(sha, arena_printf(&copy->loader->scratch, "%c%c%llu",
		    file->directory ? 'd' : 'f', file->program ? 'x' : '-',
		    (unsigned long long)file->size));
		if (!file->directory && copy->size <= CONTENT_MAX &&
		    !put_content(copy, sha, file))
			return false;
	}
	return true;
}

static void
put_copy(struct loader *loader, struct setup_step *step, SHA2_CTX *sha)
{
	const struct fs *fs = loader->options->fs;
	struct copy copy = { .loader = loader, .span = step->span };
	struct fs_info info;

	if (fs == NULL)
		return;
	load_enter(loader, step->span);
	step->path = load_path(loader, step->from);
	const char *full = arena_cstr(&loader->scratch, step->path);
	int result = fs->stat(fs->ctx, full, false, &info);
	step->missing = result == -ENOENT || result == -ENOTDIR;
	if (step->missing) {
		put(sha, STR("missing"));
		return;
	}
	if (result >= 0)
		result = fs->resolve(fs->ctx, &loader->scratch,
		    arena_cstr(&loader->scratch, loader->directory),
		    &copy.outer);
	if (result < 0)
		refuse_errno(&copy, step->path, -result);
	else if (stays_below(&copy, step->path) &&
	    collect(&copy, step->path, (struct str){0}, 0))
		put_files(&copy, sha);
}

/* Could letters of it be taken for a reference where `$${` has become `${`? */
static bool
looks_referring(struct str text)
{
	for (ptrdiff_t at; (at = str_search(text, STR("${"))) >= 0;) {
		text = str_sub(text, (size_t)at + 2, text.len);
		struct str rest, first = str_cut(text, '.', &rest);
		enum kind kind;
		if (rest.data != NULL && (str_is(first, "secret") ||
		    kind_parse(first, &kind)))
			return true;
	}
	return false;
}

/*
 * The text as it was written.  Almost always its letters are enough; where
 * some of them look like a reference and are none, it is also said which are
 * which, so that digests of before hold for all other texts.
 */
static void
put_text(SHA2_CTX *sha, const struct text *text)
{
	bool doubtful = text->nparts == 0 && looks_referring(text->raw);

	put(sha, text->raw);
	for (size_t i = 0; i < text->nparts; i++)
		doubtful |= text->parts[i].type == PART_TEXT &&
		    looks_referring(text->parts[i].text);
	if (!doubtful)
		return;
	put(sha, STR("letters"));
	if (text->nparts == 0)
		put(sha, text->raw);
	for (size_t i = 0; i < text->nparts; i++) {
		const struct text_part *part = &text->parts[i];
		put(sha, part->type == PART_TEXT ? STR("text") :
		    STR("reference"));
		put(sha, part->text);
	}
}

/* What comes from defaults.pod is one step of many pods: once is enough. */
static void
step_digest(struct loader *loader, struct setup_step *step)
{
	SHA2_CTX sha;

	if (step->digest.data != NULL)
		return;
	SHA256Init(&sha);
	put(&sha, step->copy ? STR("copy 1") : STR("run 1"));
	put_text(&sha, &step->run);
	put(&sha, step->from);
	put(&sha, step->to);
	if (step->copy)
		put_copy(loader, step, &sha);
	step->digest = finish(loader->arena, &sha);
}

void
load_steps(struct loader *loader, struct pod_spec *pod)
{
	SHA2_CTX sha;

	for (size_t i = 0; i < pod->nsetup; i++)
		step_digest(loader, &pod->setup[i]);
	if (pod->process_run.raw.data == NULL)
		return;
	SHA256Init(&sha);
	put(&sha, STR("process 1"));
	put_text(&sha, &pod->process_run);
	put(&sha, pod->process_log);
	pod->process_digest = finish(loader->arena, &sha);
}
