// pagmo_volumes.cpp - hypervolumes by another library (Debian: libpagmo-dev), to compare with ours.
//
// In: for each set a line "k n", then n lines of k numbers.  Out: the volume below (1, ..., 1).
//   g++ -O1 tests/pagmo_volumes.cpp -lpagmo -ltbb -o pagmo_volumes
#include <cstdio>
#include <vector>

#include <pagmo/utils/hypervolume.hpp>

int main()
{
    int k, n;
    while (std::scanf("%d %d", &k, &n) == 2) {
        std::vector<pagmo::vector_double> points(n, pagmo::vector_double(k));
        for (auto &point : points) {
            for (auto &value : point) {
                if (std::scanf("%lf", &value) != 1)
                    return 1;
            }
        }
        pagmo::hypervolume volume(points, true);
        std::printf("%.17g\n", volume.compute(pagmo::vector_double(k, 1.0)));
    }
    return 0;
}
