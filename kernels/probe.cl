// The smallest program that shows a device works: the host knows what comes out.
__kernel void probe(__global int *numbers, int add) {
  const int i = get_global_id(0);
  numbers[i] = numbers[i] * 3 + add;
}
