#include "src/cli/command_line.hpp"

int main(int argc, char** argv)
{
    return paws::cli::run(argc, argv);
}
