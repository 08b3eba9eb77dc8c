/* keys.c - see keys.h */
#include "ssh/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ssh/agent.h"
#include "ssh/blob.h"
#include "ssh/key_file.h"
#include "ssh/keys_parts.h"

enum { KEY_BYTES_MAX = 64 << 10, PUBLIC_LINES_MAX = 48 };

/* A file that was read. */
struct loaded {
	struct str path;
	struct crypto_key *key;		/* NULL: an agent has it */
	struct str blob;
	bool theirs;			/* the user's agent, not ours */
};

struct ssh_keys {
	struct ssh_keys_config config;	/* strs in the arena */
	struct arena arena;
	const char *project;		/* path of the project's key */
	VEC_OF(struct loaded) files;	/* the project's, too */
	struct own_agent *agent;	/* of keys with a passphrase */
};

struct ssh_keys *
ssh_keys_new(const struct ssh_keys_config *config)
{
	struct ssh_keys *keys = calloc(1, sizeof *keys);
	if (keys == NULL)
		fail_out_of_memory();
	keys->config = *config;
	keys->config.directory = arena_str(&keys->arena, config->directory);
	keys->config.comment = arena_str(&keys->arena, config->comment);
	if (config->key_path.data != NULL)
		keys->config.key_path = arena_str(&keys->arena,
		    config->key_path);
	if (config->agent.data != NULL)
		keys->config.agent = arena_str(&keys->arena, config->agent);
	keys->project = arena_printf(&keys->arena, STR_FMT "/id_ed25519",
	    STR_ARG(config->directory)).data;
	return keys;
}

void
ssh_keys_free(struct ssh_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->files.n; i++)
		crypto_key_free(keys->files.items[i].key);
	own_agent_free(keys->agent);
	arena_release(&keys->arena);
	free(keys);
}

/* ------------------------------------------------------ reading a file ---- */

/* Reasons live as long as the keys do. */
#define SAY(keys, ...) arena_printf(&(keys)->arena, __VA_ARGS__)

static struct loaded *
find(struct ssh_keys *keys, struct str path)
{
	for (size_t i = 0; i < keys->files.n; i++)
		if (str_eq(keys->files.items[i].path, path))
			return &keys->files.items[i];
	return NULL;
}

static struct loaded *
keep(struct ssh_keys *keys, const char *path, struct crypto_key *key,
    struct str blob)
{
	struct loaded *loaded = ARENA_PUSH(&keys->arena, &keys->files);
	*loaded = (struct loaded){
		.path = str_from(path), .key = key,
		.blob = arena_str(&keys->arena, blob),
	};
	return loaded;
}

/* As OpenSSH has it: what belongs to us must be closed to others. */
static bool
check_mode(struct ssh_keys *keys, const char *path, struct str *why)
{
	const struct fs *fs = keys->config.fs;
	struct fs_info info;

	int error = fs->stat(fs->ctx, path, true, &info);
	if (error != 0) {
		*why = SAY(keys, "cannot read the key '%s': %s", path,
		    strerror(-error));
		return false;
	}
	if (info.uid == getuid() && (info.mode & 077) != 0 &&
	    info.type == FS_REGULAR) {
		*why = SAY(keys, "the key '%s' can be read by other users: "
		    "chmod 600 %s", path, path);
		return false;
	}
	return true;
}

/* The key that is in our agent and in no file yet. */
static bool
find_new(struct ssh_keys *keys, struct str wanted, struct str *blob)
{
	struct agent_op *op = agent_op_list(own_agent_socket(keys->agent));
	struct agent_key *list = NULL;
	size_t n = 0;
	bool found = false;

	if (agent_op_finish(op, AGENT_MS) &&
	    agent_op_keys(op, &keys->arena, &list, &n))
		for (size_t i = 0; i < n && !found; i++) {
			*blob = list[i].blob;
			found = wanted.data != NULL ?
			    str_eq(*blob, wanted) : true;
			for (size_t k = 0; k < keys->files.n; k++)
				found = found && !str_eq(*blob,
				    keys->files.items[k].blob);
		}
	agent_op_free(op);
	return found;
}

/* Has the user unlocked it in an agent already? */
static bool
agent_has(struct ssh_keys *keys, struct str blob)
{
	struct agent_op *op;
	struct agent_key *list = NULL;
	size_t n = 0;
	bool found = false;

	if (keys->config.agent.len == 0 || blob.len == 0)
		return false;
	op = agent_op_list(keys->config.agent);
	if (agent_op_finish(op, AGENT_MS) &&
	    agent_op_keys(op, &keys->arena, &list, &n))
		for (size_t i = 0; i < n && !found; i++)
			found = str_eq(list[i].blob, blob);
	agent_op_free(op);
	return found && agent_key_usable(blob);
}

static struct str
nobody_to_ask(struct ssh_keys *keys, const char *path)
{
	return SAY(keys, "the key '%s' has a passphrase, and there is no "
	    "terminal to ask for it: give it to an agent with ssh-add, or "
	    "name a key without one", path);
}

static struct loaded *
load_encrypted(struct ssh_keys *keys, const char *path, struct str blob,
    bool may_ask, struct str *why)
{
	const char *reason = NULL;

	if (agent_has(keys, blob)) {
		struct loaded *loaded = keep(keys, path, NULL, blob);
		loaded->theirs = true;
		return loaded;
	}
	if (!may_ask) {
		*why = nobody_to_ask(keys, path);
		return NULL;
	}
	if (keys->agent == NULL)
		keys->agent = own_agent_start(&reason);
	if (keys->agent == NULL || !own_agent_add(keys->agent, path, &reason))
		*why = SAY(keys, "cannot use the key '%s': %s", path, reason);
	else if (!find_new(keys, blob, &blob))
		*why = SAY(keys, "cannot use the key '%s': ssh-agent does not "
		    "have it", path);
	else if (!agent_key_usable(blob))
		*why = SAY(keys, "the key '%s' is of a kind that the SSH "
		    "library cannot use (RSA?): make another one: ssh-keygen "
		    "-t ed25519", path);
	else
		return keep(keys, path, NULL, blob);
	return NULL;
}

/* What is in a file; false, with a reason, where it is no key of use.  A key
 * that is read is the caller's. */
static bool
read_key(struct ssh_keys *keys, const char *path, struct arena *arena,
    struct key_file *file, struct str *why)
{
	const struct fs *fs = keys->config.fs;
	struct str bytes;

	if (!check_mode(keys, path, why))
		return false;
	int error = fs_read_file(fs, arena, path, KEY_BYTES_MAX, true,
	    &bytes);
	if (error != 0) {
		*why = SAY(keys, "cannot read the key '%s': %s", path,
		    error == -EFBIG ? "it is longer than any key" :
		    error == -EINVAL ? "it is not a file" :
		    strerror(-error));
		return false;
	}
	key_file_read(arena, bytes, file);
	explicit_bzero((char *)(uintptr_t)bytes.data, bytes.len);
	if (file->verdict == KEY_FILE_BAD)
		*why = SAY(keys, "the key '%s' %s%s%s", path, file->why,
		    file->hint != NULL ? ": " : "",
		    file->hint != NULL ? file->hint : "");
	return file->verdict != KEY_FILE_BAD;
}

static struct loaded *
load(struct ssh_keys *keys, struct str path_text, bool may_ask,
    struct str *why)
{
	const char *path = arena_cstr(&keys->arena, path_text);
	struct loaded *loaded = find(keys, path_text);
	struct arena arena = {0};
	struct key_file file;

	if (loaded != NULL)
		return loaded;
	if (!read_key(keys, path, &arena, &file, why))
		loaded = NULL;
	else if (file.verdict == KEY_FILE_GOOD)
		loaded = keep(keys, path, file.key, file.blob);
	else
		loaded = load_encrypted(keys, path, file.blob, may_ask, why);
	arena_release(&arena);
	return loaded;
}

bool
ssh_keys_load(struct ssh_keys *keys, struct str path, struct str *why)
{
	if (path.data == NULL)
		path = keys->config.key_path;
	return path.data == NULL ||
	    load(keys, path, keys->config.may_ask, why) != NULL;
}

bool
ssh_keys_check(struct ssh_keys *keys, struct str path_text, bool offline,
    struct str *why)
{
	if (path_text.data == NULL)
		path_text = keys->config.key_path;
	if (path_text.data == NULL || find(keys, path_text) != NULL)
		return true;
	const char *path = arena_cstr(&keys->arena, path_text);
	struct arena arena = {0};
	struct key_file file;
	bool ok = read_key(keys, path, &arena, &file, why);

	if (ok && file.verdict == KEY_FILE_GOOD)
		crypto_key_free(file.key);
	else if (ok && !offline && !keys->config.may_ask &&
	    !agent_has(keys, file.blob)) {
		*why = nobody_to_ask(keys, path);
		ok = false;
	}
	arena_release(&arena);
	return ok;
}

/* ---------------------------------------------------- the project's key ---- */

/* Make the directory and those above it that are missing. */
static int
make_directory(struct ssh_keys *keys)
{
	const struct fs *fs = keys->config.fs;
	struct str path = keys->config.directory;
	int error = 0;

	for (size_t i = 1; i <= path.len && error == 0; i++) {
		struct fs_info info;
		if (i < path.len && path.data[i] != '/')
			continue;
		const char *part = arena_cstr(&keys->arena,
		    str_sub(path, 0, i));
		if (fs->stat(fs->ctx, part, true, &info) == 0)
			continue;
		error = fs->mkdir(fs->ctx, part, 0700);
		if (error == -EEXIST)
			error = 0;
	}
	return error;
}

/*
 * Write bytes to a file that is whole and on disk, or not there.  Without
 * `replace` one that is there stays (-EEXIST): two podforms may be making
 * the key at once, and the second must take the first one's.
 */
static int
write_whole(struct ssh_keys *keys, const char *path, struct str bytes,
    unsigned mode, bool replace)
{
	const struct fs *fs = keys->config.fs;
	struct id128 random = id128_random(keys->config.chance);
	const char *temporary = SAY(keys, "%s.%s", path, random.hex).data;

	int fd = fs->open(fs->ctx, temporary,
	    FS_APPEND | FS_CREATE | FS_EXCLUSIVE, mode);
	if (fd < 0)
		return fd;
	int error = fs_write_all(fs, fd, bytes);
	if (error == 0)
		error = fs->sync(fs->ctx, fd);
	int closed = fs->close(fs->ctx, fd);
	if (error == 0)
		error = closed;
	if (error == 0)
		error = replace ? fs->rename(fs->ctx, temporary, path) :
		    fs->link(fs->ctx, temporary, path);
	if (error != 0 || !replace)
		fs->unlink(fs->ctx, temporary);
	if (error == 0)
		error = fs->sync_dir(fs->ctx, arena_cstr(&keys->arena,
		    keys->config.directory));
	return error;
}

static int
write_public(struct ssh_keys *keys, struct str blob)
{
	struct strbuf line = {0};
	key_file_public_line(&line, blob, keys->config.comment);
	int error = write_whole(keys, SAY(keys, "%s.pub", keys->project).data,
	    strbuf_str(&line), 0644, true);
	strbuf_release(&line);
	return error;
}

static bool
make_project(struct ssh_keys *keys, struct str *why)
{
	struct strbuf text = {0};
	const char *reason = NULL;
	struct crypto_key *key = NULL;
	bool made = false;
	uint32_t check;
	int error = make_directory(keys);

	if (error != 0)
		goto out;
	strbuf_pad(&text, 2048, 0);	/* so that it never moves */
	strbuf_reset(&text);
	keys->config.chance->bytes(keys->config.chance->ctx, &check,
	    sizeof check);
	key = crypto_key_make(&reason);
	made = key != NULL && key_file_write(key, keys->config.comment, check,
	    &text, &reason);
	if (!made)
		goto out;
	error = write_whole(keys, keys->project, strbuf_str(&text), 0600,
	    false);
	if (error == 0)
		error = write_public(keys, key_file_blob(&keys->arena, key));
	else if (error == -EEXIST)
		error = 0;
out:
	if (!made || error != 0)
		*why = SAY(keys, "cannot make the project's SSH key '%s': %s",
		    keys->project, error != 0 ? strerror(-error) : reason);
	if (text.data != NULL)
		explicit_bzero(text.data, text.len);
	strbuf_release(&text);
	crypto_key_free(key);
	return made && error == 0;
}

static bool
project_exists(struct ssh_keys *keys)
{
	const struct fs *fs = keys->config.fs;
	struct fs_info info;
	return fs->stat(fs->ctx, keys->project, false, &info) != -ENOENT;
}

bool
ssh_keys_make(struct ssh_keys *keys, struct str *why)
{
	if (!project_exists(keys) && !make_project(keys, why))
		return false;
	return load(keys, str_from(keys->project), false, why) != NULL;
}

/* --------------------------------------------------------- public halves -- */

/* Lines of authorized_keys, each key once. */
struct lines {
	struct strbuf text;
	struct str seen[PUBLIC_LINES_MAX];
	size_t n;
};

static void
add_line(struct lines *lines, struct str blob, struct str comment)
{
	for (size_t i = 0; i < lines->n; i++)
		if (str_eq(lines->seen[i], blob))
			return;
	if (lines->n == PUBLIC_LINES_MAX)
		return;
	lines->seen[lines->n++] = blob;
	key_file_public_line(&lines->text, blob, comment);
}

static void
add_agent(struct ssh_keys *keys, struct arena *arena, struct lines *lines)
{
	if (keys->config.agent.len == 0)
		return;
	struct agent_op *op = agent_op_list(keys->config.agent);
	struct agent_key *list = NULL;
	size_t n = 0;
	if (agent_op_finish(op, AGENT_MS) &&
	    agent_op_keys(op, arena, &list, &n))
		for (size_t i = 0; i < n; i++)
			/* Certificates are no lines of authorized_keys. */
			if (str_search(blob_key_type(list[i].blob),
				STR("-cert-")) < 0)
				add_line(lines, list[i].blob,
				    list[i].comment);
	agent_op_free(op);
}

/* ~/.ssh/id_*.pub, also of kinds that only the user's own ssh can use. */
static void
add_home(struct ssh_keys *keys, struct arena *arena, struct str home,
    struct lines *lines)
{
	const struct fs *fs = keys->config.fs;
	const char *directory = arena_printf(arena, STR_FMT "/.ssh",
	    STR_ARG(home)).data;
	struct str *names, bytes, blob, comment;
	size_t n;

	if (fs->list(fs->ctx, arena, directory, &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!str_starts(names[i], STR("id_")) ||
		    !str_ends(names[i], STR(".pub")))
			continue;
		const char *path = arena_printf(arena, "%s/" STR_FMT,
		    directory, STR_ARG(names[i])).data;
		if (fs_read_file(fs, arena, path, KEY_BYTES_MAX, true,
			&bytes) == 0 && key_file_parse_line(arena, bytes,
			&blob, &comment))
			add_line(lines, blob, comment);
	}
}

struct str
ssh_keys_public(struct ssh_keys *keys, struct arena *arena, struct str home)
{
	struct lines *lines = ARENA_NEW(arena, struct lines);
	struct str why;
	struct loaded *project = project_exists(keys) ?
	    load(keys, str_from(keys->project), false, &why) : NULL;

	if (project != NULL)
		add_line(lines, project->blob, keys->config.comment);
	for (size_t i = 0; i < keys->files.n; i++)
		add_line(lines, keys->files.items[i].blob, STR("podform"));
	add_agent(keys, arena, lines);
	if (home.len > 0)
		add_home(keys, arena, home, lines);
	struct str out = arena_str(arena, strbuf_str(&lines->text));
	strbuf_release(&lines->text);
	return out;
}

/* --------------------------------------------------------- for sessions ---- */

void
identities_add(struct identities *identities,
    const struct identity *identity)
{
	for (size_t i = 0; i < identities->n; i++)
		if (str_eq(identities->list[i].blob, identity->blob))
			return;
	if (identities->n < IDENTITIES_MAX)
		identities->list[identities->n++] = *identity;
}

static bool
offer_file(struct ssh_keys *keys, struct str path, struct str words,
    struct identities *out, struct str *why)
{
	struct loaded *loaded = load(keys, path, false, why);
	if (loaded == NULL)
		return false;
	identities_add(out, &(struct identity){
		.blob = loaded->blob, .words = words, .key = loaded->key,
		.agent = loaded->key != NULL ? (struct str){0} :
		    loaded->theirs ? keys->config.agent :
		    own_agent_socket(keys->agent),
	});
	return true;
}

bool
keys_offer(struct ssh_keys *keys, struct str key_path,
    struct identities *out, struct str *agent, struct str *why)
{
	*agent = (struct str){0};
	if (key_path.len > 0 && !offer_file(keys, key_path,
		SAY(keys, "the key '" STR_FMT "'", STR_ARG(key_path)), out,
		why))
		return false;
	if (keys->config.key_path.len > 0 &&
	    !offer_file(keys, keys->config.key_path,
		SAY(keys, "SSH_KEY_PATH '" STR_FMT "'",
		    STR_ARG(keys->config.key_path)), out, why))
		return false;
	if (project_exists(keys) && !offer_file(keys,
		str_from(keys->project), STR("the project's key"), out, why))
		return false;
	if (key_path.len == 0)
		*agent = keys->config.agent;
	return true;
}
