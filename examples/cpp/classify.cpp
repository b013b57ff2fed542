// Loads a model, runs it on one image of zeros, and says what came out and how much of the network
// was computed.
//
//   ./classify digits.pdrt
#include <pdrt/pdrt.h>

#include <algorithm>
#include <iostream>

int main(int argc, char** argv) try {
  if (argc != 2) throw pdrt::InputError("usage: classify MODEL.pdrt");
  const pdrt::Model model = pdrt::Model::load(argv[1]);
  pdrt::Session session(model);

  const pdrt::Spec& input = session.inputs().front();
  pdrt::Shape shape = input.shape;
  for (std::int64_t& dim : shape)
    dim = std::max<std::int64_t>(dim, 1);  // free dimensions: a batch of one
  pdrt::Tensor image(input.dtype, shape);
  std::fill_n(image.as<float>(), image.count(), 0.0f);

  pdrt::RunStats stats;
  const std::vector<pdrt::Tensor> outputs = session.run({{input.name, image.view()}}, stats);
  const float* scores = outputs.front().as<float>();
  const float* best = std::max_element(scores, scores + outputs.front().count());
  std::cout << "class " << best - scores << " of " << outputs.front().count() << ", computed "
            << stats.macs_executed << " of " << stats.macs_dense << " multiply-adds in "
            << stats.milliseconds << " ms\n";
  return 0;
} catch (const std::exception& error) {
  std::cerr << "classify: " << error.what() << "\n";
  return 1;
}
