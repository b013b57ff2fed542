// Makes active lists where switches are computed: the ascending list of the kernels, or channels,
// of a group that some multipliers leave on. Lists can also be cleared of planes that came out all
// zeros; or be those of what is off, which may still have to become planes.
//
// Range: [LANES][samples * groups], in work-groups of LANES x 1.
// Arguments: dense_in, lists, flags, ActiveListArguments.
// Options: LANES, work-items of a work-group: they judge so many numbers at a time.
#ifndef LANES
#define LANES 64
#endif
#include "storage.h"

INLINE bool is_on(__global const float* dense, __global const int* conditions, int count,
                  int sample, int number) {
  bool on = count == 0;  // by an alternative before this one
  bool all = true;       // conditions of this alternative so far
  int alternative = 0;
  for (int i = 0; i < count; ++i, conditions += 6) {
    const Condition condition = {(uint)conditions[0], (uint)conditions[1], (uint)conditions[2],
                                 conditions[3],       conditions[4],       conditions[5]};
    if (i > 0 && condition.alternative != alternative) {
      on |= all;
      all = true;
    }
    alternative = condition.alternative;
    const uint at = condition.base + (uint)sample * condition.sample_stride +
                    (uint)number * condition.channel_stride;
    const bool concerned = number >= condition.first && number < condition.last;
    if (all && concerned) all = dense[at] != 0.0f;
  }
  return on || all;
}

__kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) void active_list(
    __global const float* restrict dense_in, __global int* lists,
    __global const uchar* restrict flags, const ActiveListArguments a) {
  __local int sums[2][LANES];
  const int z = (int)get_group_id(1);
  const int sample = z / a.groups;
  const int shift = (z - sample * a.groups) * a.group_stride;
  const int lane = (int)get_local_id(0);
  const uint list = a.list + (uint)(z * a.count);

  int written = 0;
  for (int first = 0; first < a.count; first += LANES) {
    const int number = shift + first + lane;
    bool on = first + lane < a.count &&
              is_on(dense_in, lists + a.conditions, a.condition_count, sample, number);
    if (on && a.flags != PDRT_NONE)
      on = flags[a.flags + (uint)sample * a.flags_stride + (uint)number] != 0;
    if (a.complement) on = !on && first + lane < a.count;

    // How many of the work-items up to this one are on, by adding up ever longer stretches.
    int from = 0;
    sums[from][lane] = on;
    for (int reach = 1; reach < LANES; reach *= 2) {
      barrier(CLK_LOCAL_MEM_FENCE);
      sums[from ^ 1][lane] = sums[from][lane] + (lane < reach ? 0 : sums[from][lane - reach]);
      from ^= 1;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (on)
      lists[list + (uint)(written + sums[from][lane] - 1)] = a.channels ? first + lane : number;
    written += sums[from][LANES - 1];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (lane == 0) {
    __global int* part = lists + a.parts + 4 * z + (a.channels ? 2 : 0);
    part[0] = (int)list;
    part[1] = written;
  }
}
