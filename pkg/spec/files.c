/* files.c - the files of a spec, and the files that a spec names */
#include <errno.h>
#include <string.h>

#include "spec/codes.h"
#include "spec/load.h"

enum { REFERRED_MAX = 1 << 20 };	/* bytes of a secret or key file */

static struct str
join(struct arena *arena, struct str directory, struct str name)
{
	if (directory.len == 0)
		return arena_str(arena, name);
	bool slash = directory.data[directory.len - 1] == '/';
	return arena_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(directory),
	    slash ? "" : "/", STR_ARG(name));
}

static struct str
directory_of(struct str path)
{
	ptrdiff_t slash = str_rfind(path, '/');
	if (slash < 0)
		return STR(".");
	return str_sub(path, 0, slash > 0 ? (size_t)slash : 1);
}

bool
path_is_inside(struct str outer, struct str inner)
{
	if (str_is(outer, "/"))
		return true;
	return str_starts(inner, outer) && inner.len > outer.len &&
	    inner.data[outer.len] == '/';
}

/* ---------------------------------------------------- files of a spec --- */

static void
say_unreadable(struct loader *loader, struct str path, int error)
{
	loader->broken = true;
	if (error == EFBIG) {
		diag_error(loader->diags, E_TOO_LARGE, NO_SPAN,
		    "'" STR_FMT "' is larger than %d MiB", STR_ARG(path),
		    FILE_MAX >> 20);
	} else if (error == EINVAL || error == ENXIO) {
		/* ENXIO: a socket cannot even be opened. */
		diag_error(loader->diags, E_FILE, NO_SPAN,
		    "'" STR_FMT "' is no regular file", STR_ARG(path));
	} else {
		diag_errno(loader->diags, E_FILE, NO_SPAN, error,
		    "cannot read '" STR_FMT "'", STR_ARG(path));
		if (error == ENOENT && str_is(path, "specs"))
			diag_hint(loader->diags, "podform init makes a first "
			    "spec there; -C DIR works in another directory");
	}
}

static void
load_file(struct loader *loader, struct str path)
{
	struct str text;
	int result = fs_read_file(loader->options->fs, loader->arena,
	    arena_cstr(&loader->scratch, path), FILE_MAX, true, &text);

	if (result < 0) {
		say_unreadable(loader, path, -result);
		return;
	}
	loader->directory = directory_of(path);
	load_text(loader, sources_add(loader->sources, path, text), text);
}

/* `*.yaml` and `*.yml`, but not what editors leave beside them. */
static bool
is_spec_name(struct str name)
{
	if (name.len == 0 || name.data[0] == '.' || name.data[0] == '#')
		return false;
	return str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml"));
}

/* A link in the directory must lead to something in the directory. */
static bool
stays_inside(struct loader *loader, struct str directory, struct str path)
{
	const struct fs *fs = loader->options->fs;
	struct fs_info info;
	struct str outer, inner;
	const char *name = arena_cstr(&loader->scratch, path);

	if (fs->stat(fs->ctx, name, false, &info) < 0 ||
	    info.type != FS_SYMLINK)
		return true;
	int result = fs->resolve(fs->ctx, &loader->scratch, name, &inner);
	if (result >= 0)
		result = fs->resolve(fs->ctx, &loader->scratch,
		    arena_cstr(&loader->scratch, directory), &outer);
	if (result < 0) {
		say_unreadable(loader, path, -result);
		return false;
	}
	if (path_is_inside(outer, inner))
		return true;
	loader->broken = true;
	diag_error(loader->diags, E_OUTSIDE, NO_SPAN,
	    "'" STR_FMT "' is a link that leads out of the directory: to '"
	    STR_FMT "'", STR_ARG(path), STR_ARG(inner));
	diag_hint(loader->diags, "give that file with --spec, or copy it");
	return false;
}

static void
load_directory(struct loader *loader, struct str directory)
{
	const struct fs *fs = loader->options->fs;
	struct str *names;
	size_t n, found = 0;

	int result = fs->list(fs->ctx, &loader->scratch,
	    arena_cstr(&loader->scratch, directory), &names, &n);
	if (result < 0) {
		say_unreadable(loader, directory, -result);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!is_spec_name(names[i]))
			continue;
		found++;
		struct str path = join(loader->arena, directory, names[i]);
		if (stays_inside(loader, directory, path))
			load_file(loader, path);
	}
	if (found > 0)
		return;
	loader->broken = true;
	diag_error(loader->diags, E_EMPTY, NO_SPAN,
	    "no *.yaml or *.yml file in '" STR_FMT "'", STR_ARG(directory));
}

static void
load_stdin(struct loader *loader)
{
	struct str text = loader->options->stdin_text;

	loader->directory = STR(".");
	load_text(loader, sources_add(loader->sources, STR("<stdin>"), text),
	    text);
}

void
load_files(struct loader *loader)
{
	static const struct str usual[] = { STR_INIT("specs") };
	const struct spec_options *options = loader->options;
	const struct str *paths = options->npaths > 0 ? options->paths : usual;
	size_t n = options->npaths > 0 ? options->npaths : COUNTOF(usual);

	for (size_t i = 0; i < n; i++) {
		struct fs_info info;
		if (str_is(paths[i], "-")) {
			load_stdin(loader);
			continue;
		}
		int result = options->fs->stat(options->fs->ctx,
		    arena_cstr(&loader->scratch, paths[i]), true, &info);
		if (result < 0)
			say_unreadable(loader, paths[i], -result);
		else if (info.type == FS_DIRECTORY)
			load_directory(loader, paths[i]);
		else
			load_file(loader, paths[i]);
	}
}

/* ---------------------------------------------- files a spec refers to -- */

void
load_enter(struct loader *loader, struct span span)
{
	const struct source *source = sources_get(loader->sources,
	    span.source);

	if (source != NULL)
		loader->directory = directory_of(source->name);
}

struct str
load_path(struct loader *loader, struct str path)
{
	const struct spec_options *options = loader->options;

	if (str_starts(path, STR("~/")) && options->environment != NULL) {
		struct str home = options->environment(
		    options->environment_ctx, "HOME");
		if (home.data != NULL)
			return join(loader->arena, home,
			    str_sub(path, 2, path.len));
	}
	if (path.len > 0 && path.data[0] == '/')
		return path;
	if (str_is(loader->directory, "."))
		return path;
	return join(loader->arena, loader->directory, path);
}

/* Where a relative path really leads must be below the directory. */
static bool
check_below(struct loader *loader, struct str path, const char *full,
    struct span span, const char *what)
{
	const struct fs *fs = loader->options->fs;
	struct str outer, inner;

	if (path.data[0] == '/' || path.data[0] == '~')
		return true;
	int result = fs->resolve(fs->ctx, &loader->scratch,
	    arena_cstr(&loader->scratch, loader->directory), &outer);
	if (result >= 0)
		result = fs->resolve(fs->ctx, &loader->scratch, full, &inner);
	if (result < 0) {
		diag_errno(loader->diags, E_FILE_REFUSED, span, -result,
		    "cannot use %s", what);
		return false;
	}
	if (path_is_inside(outer, inner))
		return true;
	diag_error(loader->diags, E_OUTSIDE, span,
	    "%s is outside of the directory of the spec", what);
	diag_hint(loader->diags, "give its absolute path if you mean it");
	return false;
}

/* `..` is refused even where nothing is there yet. */
static bool
climbs(struct str path)
{
	struct str rest = path;
	int depth = 0;

	while (rest.data != NULL && depth >= 0) {
		struct str part = str_cut(rest, '/', &rest);
		if (str_is(part, ".."))
			depth--;
		else if (part.len > 0 && !str_is(part, "."))
			depth++;
	}
	return depth < 0;
}

/* Is there a regular file of fair size?  False: nothing more to check. */
static bool
check_regular(struct loader *loader, const char *full, struct span span,
    const char *what, struct fs_info *info)
{
	const struct fs *fs = loader->options->fs;
	int result = fs->stat(fs->ctx, full, false, info);

	if (result == -ENOENT)
		return false;
	if (result >= 0 && info->type == FS_SYMLINK)
		result = fs->stat(fs->ctx, full, true, info);
	if (result < 0) {
		diag_errno(loader->diags, E_FILE_REFUSED, span, -result,
		    "cannot use %s", what);
		return false;
	}
	if (info->type != FS_REGULAR) {
		diag_error(loader->diags, E_FILE_REFUSED, span,
		    "%s is %s", what, info->type == FS_DIRECTORY
		    ? "a directory" : "no regular file");
		return false;
	}
	if (info->size > REFERRED_MAX) {
		diag_error(loader->diags, E_TOO_LARGE, span,
		    "%s is larger than %d KiB", what, REFERRED_MAX >> 10);
		return false;
	}
	return true;
}

void
load_check_file(struct loader *loader, struct str path, struct span span,
    const char *what)
{
	struct fs_info info;

	if (path.data[0] != '/' && path.data[0] != '~' && climbs(path)) {
		diag_error(loader->diags, E_OUTSIDE, span,
		    "%s is outside of the directory of the spec", what);
		diag_hint(loader->diags,
		    "give its absolute path if you mean it");
		return;
	}
	if (loader->options->fs == NULL)
		return;
	const char *full = arena_cstr(&loader->scratch,
	    load_path(loader, path));
	if (check_regular(loader, full, span, what, &info))
		check_below(loader, path, full, span, what);
}

void
load_check_key(struct loader *loader, struct str path, struct span span)
{
	struct fs_info info;

	if (loader->options->fs == NULL)
		return;
	const char *full = arena_cstr(&loader->scratch,
	    load_path(loader, path));
	if (!check_regular(loader, full, span, "the key", &info))
		return;
	if (info.mode & 077) {
		diag_error(loader->diags, E_KEY_MODE, span,
		    "the key is open to other users");
		diag_hint(loader->diags, "chmod 600 %s", full);
	}
}
