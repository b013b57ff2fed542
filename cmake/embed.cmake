# Writes every program of a folder, with the headers it includes in place, into one C++ file:
#   cmake -DFOLDER=kernels -DOUTPUT=embedded.cpp -P embed.cmake
# See csrc/opencl/embedded.h for what the file defines.
cmake_minimum_required(VERSION 3.20)

# Sets `result` to the text of a file in which each #include "x.h" has become x.h, once. Texts are
# never treated as lists: they hold semicolons and brackets.
function(expand file result)
  set_property(GLOBAL APPEND PROPERTY PDRT_SEEN ${file})
  file(READ ${FOLDER}/${file} rest)
  set(text "")
  while(rest MATCHES "#include \"([^\"\n]+)\"[^\n]*")
    set(line "${CMAKE_MATCH_0}")
    set(header "${CMAKE_MATCH_1}")
    string(FIND "${rest}" "${line}" at)
    string(LENGTH "${line}" length)
    string(SUBSTRING "${rest}" 0 ${at} before)
    math(EXPR after "${at} + ${length}")
    string(SUBSTRING "${rest}" ${after} -1 rest)
    string(APPEND text "${before}")
    get_property(seen GLOBAL PROPERTY PDRT_SEEN)
    if(NOT header IN_LIST seen)
      if(NOT EXISTS ${FOLDER}/${header})
        message(FATAL_ERROR "${file} includes ${header}, which is not in ${FOLDER}")
      endif()
      expand(${header} inner)
      string(APPEND text "${inner}")
    endif()
  endwhile()
  string(APPEND text "${rest}")
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

file(GLOB programs RELATIVE ${FOLDER} ${FOLDER}/*.cl)
list(SORT programs)
set(arrays "")
set(table "")
foreach(program IN LISTS programs)
  set_property(GLOBAL PROPERTY PDRT_SEEN "")
  expand(${program} text)
  string(REPLACE ".cl" "" name ${program})
  string(LENGTH "${text}" size)
  string(HEX "${text}" bytes)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "const unsigned char k_${name}[] = {${bytes}};\n")
  string(APPEND table "    {\"${name}\", k_${name}, ${size}},\n")
endforeach()
file(WRITE ${OUTPUT} "// Written by cmake/embed.cmake from kernels/.
#include \"opencl/embedded.h\"

namespace pdrt::opencl {
namespace {

${arrays}
const EmbeddedSource kSources[] = {
${table}    {nullptr, nullptr, 0},
};

}  // namespace

const EmbeddedSource* embedded_sources() { return kSources; }

}  // namespace pdrt::opencl
")
