/* fake_disk.c - see fake_fs.h: what tests do to it, and power loss */
#include "fake_node.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------- for tests -- */

struct fake_fs *
fake_fs_new(uint32_t uid)
{
	struct fake_fs *fake = calloc(1, sizeof *fake);
	assert(fake != NULL);
	fake->uid = uid;
	fake_node_new(fake, FS_DIRECTORY, 0755);
	return fake;
}

void
fake_fs_free(struct fake_fs *fake)
{
	if (fake == NULL)
		return;
	for (size_t i = 0; i < fake->nnodes; i++) {
		struct fake_node *node = fake->nodes[i];
		free(node->live.data);
		free(node->durable.data);
		fake_entries_clear(&node->entries);
		fake_entries_clear(&node->on_disk);
		fake_changes_clear(node);
		free(node);
	}
	free(fake->nodes);
	free(fake->handles);
	free(fake);
}

static struct fake_node *
put_node(struct fake_fs *fake, const char *path, enum fs_type type,
    uint32_t mode, struct str text)
{
	struct place place;
	int error = fake_find(fake, path, false, &place);
	assert(error == 0);
	(void)error;
	struct fake_node *node = fake_node_new(fake, type, mode);
	fake_bytes_set(&node->live, text);
	fake_bytes_set(&node->durable, text);
	fake_change_dir(place.dir, NULL, place.name, node);
	fake_sync_entries(place.dir);
	return node;
}

void
fake_fs_put(struct fake_fs *fake, const char *path, struct str text,
    uint32_t mode)
{
	put_node(fake, path, FS_REGULAR, mode, text);
}

void
fake_fs_put_dir(struct fake_fs *fake, const char *path, uint32_t mode)
{
	put_node(fake, path, FS_DIRECTORY, mode, STR(""));
}

void
fake_fs_put_link(struct fake_fs *fake, const char *path, const char *target)
{
	put_node(fake, path, FS_SYMLINK, 0777, str_from(target));
}

void
fake_fs_put_fifo(struct fake_fs *fake, const char *path)
{
	put_node(fake, path, FS_OTHER, 0600, STR(""));
}

static struct fake_node *
must_find(struct fake_fs *fake, const char *path, struct place *place)
{
	int error = fake_find(fake, path, false, place);
	assert(error == 0 && place->node != NULL);
	(void)error;
	return place->node;
}

void
fake_fs_own(struct fake_fs *fake, const char *path, uint32_t uid)
{
	struct place place;
	must_find(fake, path, &place)->uid = uid;
}

void
fake_fs_remove(struct fake_fs *fake, const char *path)
{
	struct place place;
	must_find(fake, path, &place);
	fake_change_dir(place.dir, place.name, NULL, NULL);
	fake_sync_entries(place.dir);
}

struct str
fake_fs_text(struct fake_fs *fake, const char *path)
{
	struct place place;
	if (fake_find(fake, path, true, &place) < 0 || place.node == NULL)
		return (struct str){ 0 };
	return fake_bytes_str(&place.node->live);
}

size_t
fake_fs_open_handles(const struct fake_fs *fake)
{
	size_t n = 0;
	for (size_t i = 0; i < fake->nhandles; i++)
		n += fake->handles[i].node != NULL;
	return n;
}

void
fake_fs_process_death(struct fake_fs *fake)
{
	for (size_t i = 0; i < fake->nhandles; i++)
		fake->handles[i].node = NULL;
	for (size_t i = 0; i < fake->nnodes; i++)
		fake->nodes[i]->locked_by = 0;
	fake->crashed = false;
	fake->fired = false;
	fake->faults = (struct fake_faults){ 0 };
	fake->calls = 0;
}

static uint64_t
next_random(uint64_t *state)
{
	/* splitmix64 */
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void
tear(struct fake_node *node, uint64_t *state)
{
	struct bytes image = { 0 };
	bool longer = next_random(state) & 1;

	fake_bytes_set(&image, fake_bytes_str(&node->durable));
	fake_bytes_resize(&image, longer ? node->live.len : node->durable.len);
	for (size_t at = 0; at < image.len; at += SECTOR) {
		size_t n = image.len - at < SECTOR ? image.len - at : SECTOR;
		struct str new = str_sub(fake_bytes_str(&node->live), at, n);
		if (next_random(state) & 1 && new.len > 0)
			memcpy(image.data + at, new.data, new.len);
	}
	fake_bytes_set(&node->live, fake_bytes_str(&image));
	free(image.data);
}

void
fake_fs_power_loss(struct fake_fs *fake, enum fake_image image, uint64_t seed)
{
	uint64_t state = seed;

	for (size_t i = 0; i < fake->nnodes; i++) {
		struct fake_node *node = fake->nodes[i];
		if (image == IMAGE_SYNCED)
			fake_bytes_set(&node->live,
			    fake_bytes_str(&node->durable));
		else if (image == IMAGE_TORN)
			tear(node, &state);
		fake_bytes_set(&node->durable, fake_bytes_str(&node->live));
		for (size_t k = 0; k < node->nchanges; k++)
			if (image == IMAGE_ALL || (image == IMAGE_TORN &&
			    next_random(&state) & 1))
				fake_apply_change(&node->on_disk,
				    &node->changes[k]);
		fake_entries_copy(&node->entries, &node->on_disk);
		fake_changes_clear(node);
	}
	fake_fs_process_death(fake);
}

static void
chance_bytes(void *ctx, void *out, size_t n)
{
	struct fake_chance *chance = ctx;
	for (size_t i = 0; i < n; i++)
		((unsigned char *)out)[i] =
		    (unsigned char)next_random(&chance->state);
}

struct chance
fake_chance_seam(struct fake_chance *chance)
{
	return (struct chance){ chance, chance_bytes };
}
