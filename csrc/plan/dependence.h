// Who has to run before whom: the graph's own edges between steps, and the ones added so that a
// switch is decided before the convolution it can switch off.
#pragma once

#include <vector>

#include "plan/program.h"

namespace pdrt::plan {

class Dependence {
 public:
  explicit Dependence(const Program& program);

  // Ops of one group run as one step. Every op starts as its own group, numbered like itself.
  int group_of(int op) const { return group_[op]; }
  void merge(int op, int into_group);

  // Whether `op` can only run after something in `group` has (or is in it).
  bool reaches(int group, int op) const { return after(group)[group_[op]]; }
  // By group: those that can only run after `group`, itself included.
  std::vector<bool> after(int group) const;
  // Makes `later` wait for `earlier`. The caller has checked that this closes no circle.
  void add_edge(int earlier, int later);

  // Groups in an order that respects every edge; among those that are ready, the graph's order.
  std::vector<int> order() const;

 private:
  std::vector<int> successors(int group) const;
  const Program* program_;
  std::vector<int> group_;                 // by op
  std::vector<std::vector<int>> members_;  // by group
  std::vector<std::vector<int>> extra_;    // by group: groups that wait for it
};

}  // namespace pdrt::plan
