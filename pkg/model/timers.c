/*
 * timers.c - what happens to pods by itself, soonest first.
 *
 * A binary heap.  A pod has one timer; setting it anew raises the pod's
 * serial, and older entries are dropped when they come to the top.  Equal
 * times go by the order of the pods, so that runs repeat exactly.
 */
#include "model/private.h"

static bool
sooner(const struct model_timer *a, const struct model_timer *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms;
	return a->pod->number < b->pod->number;
}

static void
swap(struct model_timer *a, struct model_timer *b)
{
	struct model_timer t = *a;

	*a = *b;
	*b = t;
}

static void
pop(struct model *model)
{
	struct model_timer *heap = model->timers.items;
	size_t n = --model->timers.n, i = 0;

	heap[0] = heap[n];
	for (;;) {
		size_t least = i, left = 2 * i + 1;
		if (left < n && sooner(&heap[left], &heap[least]))
			least = left;
		if (left + 1 < n && sooner(&heap[left + 1], &heap[least]))
			least = left + 1;
		if (least == i)
			return;
		swap(&heap[i], &heap[least]);
		i = least;
	}
}

void
model_timer_set(struct model *model, struct model_pod *pod, int64_t at_ms)
{
	struct model_timer *timer = ARENA_PUSH(&model->arena, &model->timers);
	size_t i = model->timers.n - 1;

	pod->timer_ms = at_ms;
	*timer = (struct model_timer){ at_ms, ++pod->timer_serial, pod };
	while (i > 0) {
		struct model_timer *heap = model->timers.items;
		size_t up = (i - 1) / 2;
		if (!sooner(&heap[i], &heap[up]))
			return;
		swap(&heap[i], &heap[up]);
		i = up;
	}
}

void
model_timer_clear(struct model_pod *pod)
{
	pod->timer_serial++;
	pod->timer_ms = -1;
}

/* Drop entries at the top that their pods have overtaken. */
static void
tidy(struct model *model)
{
	while (model->timers.n > 0 && model->timers.items[0].serial !=
	    model->timers.items[0].pod->timer_serial)
		pop(model);
}

int64_t
model_timer_next(struct model *model)
{
	tidy(model);
	return model->timers.n > 0 ? model->timers.items[0].at_ms : -1;
}

struct model_pod *
model_timer_take(struct model *model, int64_t at_ms)
{
	struct model_pod *pod;

	tidy(model);
	if (model->timers.n == 0 || model->timers.items[0].at_ms > at_ms)
		return NULL;
	pod = model->timers.items[0].pod;
	pop(model);
	model_timer_clear(pod);
	return pod;
}
