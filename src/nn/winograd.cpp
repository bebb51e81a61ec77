#include "src/nn/winograd.hpp"

#if defined(__AVX512F__)
#include <immintrin.h>

namespace paws::nn::winograd
{
namespace
{
using std::int64_t;
using Vector = __m512;  // the channels of a block

constexpr int lanes = 16;
constexpr int side = 6;                    // of a tile with its border
constexpr int values = side * side;        // of a transformed tile
constexpr int step = 4;                    // pixels of a tile
constexpr int row_tiles = 14;              // tiles that are multiplied at a time: 14 × 2 registers of sums
constexpr int piece = row_tiles * lanes;   // floats of them, of one value and one block of channels
constexpr int64_t group = values * piece;  // of all values

// Tiles are evaluated at 0, ±near, ±far and infinity. Of the multiples of 1/16 these lose the fewest digits (relative
// error of 64 channels of normal values in float: 6e-7; of ±1, ±2, which everyone writes down: 1.7e-6).
constexpr float near = 0.6875F, far = 1.625F;
constexpr float near2 = near * near, far2 = far * far;
constexpr float near3 = near2 * near, far3 = far2 * far;

inline Vector all(float value)
{
    return _mm512_set1_ps(value);
}
/// a · b + c
inline Vector fma(Vector a, Vector b, Vector c)
{
    return _mm512_fmadd_ps(a, b, c);
}
inline Vector fma(float a, Vector b, Vector c)
{
    return _mm512_fmadd_ps(all(a), b, c);
}

/// Six pixels in a row to the values of a polynomial's product at the points.
inline void transform_input(const Vector (&d)[side], Vector (&v)[side])
{
    const auto even_near = fma(-far2, d[2], d[4]);
    const auto odd_near = fma(-far2, d[1], d[3]);
    const auto even_far = fma(-near2, d[2], d[4]);
    const auto odd_far = fma(-near2, d[1], d[3]);
    v[0] = fma(near2 * far2, d[0], fma(-(near2 + far2), d[2], d[4]));
    v[1] = fma(near, odd_near, even_near);
    v[2] = fma(-near, odd_near, even_near);
    v[3] = fma(far, odd_far, even_far);
    v[4] = fma(-far, odd_far, even_far);
    v[5] = fma(near2 * far2, d[1], fma(-(near2 + far2), d[3], d[5]));
}

/// Values at the points to four pixels.
inline void transform_output(const Vector (&m)[side], Vector (&y)[step])
{
    const auto even_near = m[1] + m[2], odd_near = m[1] - m[2];
    const auto even_far = m[3] + m[4], odd_far = m[3] - m[4];
    y[0] = m[0] + even_near + even_far;
    y[1] = fma(far, odd_far, all(near) * odd_near);
    y[2] = fma(far2, even_far, all(near2) * even_near);
    y[3] = fma(far3, odd_far, fma(near3, odd_near, m[5]));
}

/// The transpose of transform_output: four pixels of a gradient to values at the points.
inline void transform_gradient(const Vector (&g)[step], Vector (&v)[side])
{
    const auto even_near = fma(near2, g[2], g[0]), odd_near = fma(near3, g[3], all(near) * g[1]);
    const auto even_far = fma(far2, g[2], g[0]), odd_far = fma(far3, g[3], all(far) * g[1]);
    v[0] = g[0];
    v[1] = even_near + odd_near;
    v[2] = even_near - odd_near;
    v[3] = even_far + odd_far;
    v[4] = even_far - odd_far;
    v[5] = g[3];
}

// What the points' differences multiply to.
constexpr float at_zero = 1 / (near2 * far2);
constexpr float at_near = 1 / (2 * near2 * (near2 - far2));
constexpr float at_far = 1 / (2 * far2 * (far2 - near2));

inline void transform_weight(const Vector (&w)[3], Vector (&u)[side])
{
    const auto even_near = fma(near2, w[2], w[0]), odd_near = all(near) * w[1];
    const auto even_far = fma(far2, w[2], w[0]), odd_far = all(far) * w[1];
    u[0] = all(at_zero) * w[0];
    u[1] = all(at_near) * (even_near + odd_near);
    u[2] = all(at_near) * (even_near - odd_near);
    u[3] = all(at_far) * (even_far + odd_far);
    u[4] = all(at_far) * (even_far - odd_far);
    u[5] = w[2];
}

/// The transpose of transform_weight.
inline void transform_weight_gradient(const Vector (&u)[side], Vector (&w)[3])
{
    const auto even_near = all(at_near) * (u[1] + u[2]), odd_near = all(at_near) * (u[1] - u[2]);
    const auto even_far = all(at_far) * (u[3] + u[4]), odd_far = all(at_far) * (u[3] - u[4]);
    w[0] = fma(at_zero, u[0], even_near + even_far);
    w[1] = fma(far, odd_far, all(near) * odd_near);
    w[2] = fma(far2, even_far, fma(near2, even_near, u[5]));
}

/// The columns, then the rows of a square by `transform`: read(row, column) gives it, write(row, column, value) takes
/// what it becomes.
template <int From, int To, class Read, class Transform, class Write>
inline void both_ways(const Read& read, const Transform& transform, const Write& write)
{
    Vector half[To][From];
#pragma GCC unroll 6
    for (int c = 0; c < From; ++c)
    {
        Vector column[From], result[To];
#pragma GCC unroll 6
        for (int r = 0; r < From; ++r)
        {
            column[r] = read(r, c);
        }
        transform(column, result);
#pragma GCC unroll 6
        for (int r = 0; r < To; ++r)
        {
            half[r][c] = result[r];
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < To; ++r)
    {
        Vector result[To];
        transform(half[r], result);
#pragma GCC unroll 6
        for (int c = 0; c < To; ++c)
        {
            write(r, c, result[c]);
        }
    }
}

int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}
int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/// The tiles of images, and the chunks of them.
struct Tiles
{
    Tiles(const Images& images, int64_t shares)
        : rows(ceil_div(images.height, step)),
          columns(ceil_div(images.width, step)),
          count(images.images * rows * columns)
    {
        // Few, so that a chunk stays in a core's second cache; of many channels more, for each chunk reads the
        // matrices.
        const int64_t wanted = images.in + images.out <= 256 ? 3 : 6;
        const int64_t groups = ceil_div(count, row_tiles);
        const int64_t of_share = ceil_div(groups, shares);
        groups_per_chunk = ceil_div(of_share, ceil_div(of_share, wanted));
        chunks = ceil_div(groups, groups_per_chunk);
    }
    int64_t rows, columns, count, groups_per_chunk, chunks;

    int64_t begin(int64_t chunk) const { return chunk * groups_per_chunk * row_tiles; }
    int64_t end(int64_t chunk) const { return least(count, begin(chunk + 1)); }
};

/// A tile's place in its image. Goes from tile to tile.
struct Place
{
    Place(const Tiles& tiles, int64_t tile)
        : image(tile / (tiles.rows * tiles.columns)),
          y(tile / tiles.columns % tiles.rows * step),
          x(tile % tiles.columns * step)
    {
    }
    void advance(const Images& images)
    {
        x += step;
        if (x >= images.width)
        {
            x = 0;
            y += step;
        }
        if (y >= images.height)
        {
            y = 0;
            ++image;
        }
    }
    int64_t image, y, x;
};

/// use(read), where read(row, column) gives the pixel so far from (y − border, x − border) of a plane: zeros where it
/// has none.
template <int Size, class Use>
inline void with_pixels(const Images& images, const float* plane, const Place& place, int64_t border, const Use& use)
{
    const int64_t y = place.y - border, x = place.x - border, width = images.width;
    const float* const from = plane + (y * width + x) * lanes;
    if (y >= 0 && x >= 0 && y + Size <= images.height && x + Size <= width)
    {
        use([&](int r, int c) { return _mm512_loadu_ps(from + (r * width + c) * lanes); });
        return;
    }
    __mmask16 rows[Size], columns[Size];
#pragma GCC unroll 6
    for (int i = 0; i < Size; ++i)
    {
        rows[i] = y + i >= 0 && y + i < images.height ? 0xFFFF : 0;
        columns[i] = x + i >= 0 && x + i < width ? 0xFFFF : 0;
    }
    use([&](int r, int c) { return _mm512_maskz_loadu_ps(rows[r] & columns[c], from + (r * width + c) * lanes); });
}

/// Where the values of tile `tile` of a chunk and of a block of channels are: [groups, blocks, 36, row_tiles, 16].
inline float* values_of(float* space, int64_t tile, int64_t blocks, int64_t block)
{
    return space + (tile / row_tiles * blocks + block) * group + tile % row_tiles * lanes;
}

/// Zeros behind the last tile of a chunk, up to the end of its group.
void clear_tail(float* space, int64_t tiles, int64_t blocks)
{
    for (int64_t tile = tiles; tile % row_tiles != 0; ++tile)
    {
        for (int64_t block = 0; block < blocks; ++block)
        {
            for (int i = 0; i < values; ++i)
            {
                _mm512_storeu_ps(values_of(space, tile, blocks, block) + i * piece, _mm512_setzero_ps());
            }
        }
    }
}

void transform_inputs(const Images& images, const Tiles& tiles, int64_t chunk, const float* x, float* space)
{
    const int64_t blocks = images.in / lanes, plane = images.height * images.width * lanes;
    const int64_t begin = tiles.begin(chunk), end = tiles.end(chunk);
    for (int64_t block = 0; block < blocks; ++block)
    {
        Place place(tiles, begin);
        for (int64_t tile = begin; tile < end; ++tile, place.advance(images))
        {
            float* const to = values_of(space, tile - begin, blocks, block);
            with_pixels<side>(images, x + (place.image * blocks + block) * plane, place, 1,
                              [&](const auto& read)
                              {
                                  both_ways<side, side>(
                                      read, [](const auto& d, auto& v) { transform_input(d, v); },
                                      [&](int r, int c, Vector v)
                                      { _mm512_storeu_ps(to + (r * side + c) * piece, v); });
                              });
        }
    }
    clear_tail(space, end - begin, blocks);
}

/// Products of row_tiles tiles with `Blocks` blocks of a matrix: v [in / 16] pieces `group` apart, u [in, 16 · Blocks],
/// m [Blocks] pieces `group` apart.
template <int Blocks>
inline void multiply(int64_t in, const float* v, const float* u, float* m)
{
    Vector sums[row_tiles][Blocks];
#pragma GCC unroll 14
    for (int t = 0; t < row_tiles; ++t)
    {
#pragma GCC unroll 2
        for (int b = 0; b < Blocks; ++b)
        {
            sums[t][b] = _mm512_setzero_ps();
        }
    }
    for (int64_t block = 0; block < in / lanes; ++block, v += group)
    {
#pragma GCC unroll 2
        for (int c = 0; c < lanes; ++c, u += lanes * Blocks)
        {
            Vector row[Blocks];
            for (int b = 0; b < Blocks; ++b)
            {
                row[b] = _mm512_loadu_ps(u + b * lanes);
            }
#pragma GCC unroll 14
            for (int t = 0; t < row_tiles; ++t)
            {
                const auto factor = all(v[t * lanes + c]);
                for (int b = 0; b < Blocks; ++b)
                {
                    sums[t][b] = fma(factor, row[b], sums[t][b]);
                }
            }
        }
    }
#pragma GCC unroll 14
    for (int t = 0; t < row_tiles; ++t)
    {
#pragma GCC unroll 2
        for (int b = 0; b < Blocks; ++b)
        {
            _mm512_storeu_ps(m + b * group + t * lanes, sums[t][b]);
        }
    }
}

/// All products of a chunk. matrices: [36, out / 32, in, 32], the last ones 16 wide where out / 16 is odd.
void multiply_chunk(const Images& images, int64_t groups, const float* v, const float* matrices, float* m)
{
    const int64_t in_blocks = images.in / lanes, out_blocks = images.out / lanes;
    for (int64_t value = 0; value < values; ++value)
    {
        for (int64_t block = 0; block < out_blocks; block += 2)
        {
            const float* const u = matrices + (value * images.out + block * lanes) * images.in;
            for (int64_t g = 0; g < groups; ++g)
            {
                const float* const from = v + g * in_blocks * group + value * piece;
                float* const to = m + (g * out_blocks + block) * group + value * piece;
                block + 1 < out_blocks ? multiply<2>(images.in, from, u, to) : multiply<1>(images.in, from, u, to);
            }
        }
    }
}

void transform_outputs(const Images& images, const Tiles& tiles, int64_t chunk, float* m, const float* bias,
                       const float* addend, float* y)
{
    const int64_t blocks = images.out / lanes, plane = images.height * images.width * lanes;
    const int64_t begin = tiles.begin(chunk), end = tiles.end(chunk);
    for (int64_t block = 0; block < blocks; ++block)
    {
        const auto offset = bias != nullptr ? _mm512_loadu_ps(bias + block * lanes) : _mm512_setzero_ps();
        Place place(tiles, begin);
        for (int64_t tile = begin; tile < end; ++tile, place.advance(images))
        {
            const float* const from = values_of(m, tile - begin, blocks, block);
            const int64_t first = (place.image * blocks + block) * plane + (place.y * images.width + place.x) * lanes;
            const int64_t rows = images.height - place.y, columns = images.width - place.x;
            both_ways<side, step>([&](int r, int c) { return _mm512_loadu_ps(from + (r * side + c) * piece); },
                                  [](const auto& m_values, auto& pixels) { transform_output(m_values, pixels); },
                                  [&](int r, int c, Vector pixel)
                                  {
                                      const int64_t at = first + (r * images.width + c) * lanes;
                                      if (r < rows && c < columns)
                                      {
                                          pixel += offset;
                                          _mm512_storeu_ps(
                                              y + at, addend == nullptr ? pixel : pixel + _mm512_loadu_ps(addend + at));
                                      }
                                  });
        }
    }
}

/// The gradient of y in place of products, and its sums over pixels.
void transform_gradients(const Images& images, const Tiles& tiles, int64_t chunk, const float* grad_y, float* m,
                         float* bias_sums)
{
    const int64_t blocks = images.out / lanes, plane = images.height * images.width * lanes;
    const int64_t begin = tiles.begin(chunk), end = tiles.end(chunk);
    for (int64_t block = 0; block < blocks; ++block)
    {
        auto sum = _mm512_setzero_ps();
        Place place(tiles, begin);
        for (int64_t tile = begin; tile < end; ++tile, place.advance(images))
        {
            float* const into = values_of(m, tile - begin, blocks, block);
            auto of_tile = _mm512_setzero_ps();
            with_pixels<step>(images, grad_y + (place.image * blocks + block) * plane, place, 0,
                              [&](const auto& read)
                              {
                                  both_ways<step, side>(
                                      [&](int r, int c)
                                      {
                                          const auto pixel = read(r, c);
                                          of_tile += pixel;
                                          return pixel;
                                      },
                                      [](const auto& g, auto& v) { transform_gradient(g, v); },
                                      [&](int r, int c, Vector v)
                                      { _mm512_storeu_ps(into + (r * side + c) * piece, v); });
                              });
            sum += of_tile;
        }
        float* const to = bias_sums + block * lanes;
        _mm512_storeu_ps(to, _mm512_loadu_ps(to) + sum);
    }
    clear_tail(m, end - begin, blocks);
}

constexpr int together = 8;  // channels of x whose products with two blocks of y's are summed in registers

/// sums[c, o] += Σ over tiles of v[c] · m[o]: v, m: [groups] pieces, v_step and m_step apart; sums: [8, 16 · Blocks].
template <int Blocks>
inline void add_products(int64_t groups, const float* v, int64_t v_step, const float* m, int64_t m_step, float* sums)
{
    Vector total[together][Blocks];
#pragma GCC unroll 8
    for (int c = 0; c < together; ++c)
    {
#pragma GCC unroll 2
        for (int b = 0; b < Blocks; ++b)
        {
            total[c][b] = _mm512_loadu_ps(sums + (c * Blocks + b) * lanes);
        }
    }
    for (int64_t g = 0; g < groups; ++g, v += v_step, m += m_step)
    {
#pragma GCC unroll 2
        for (int t = 0; t < row_tiles; ++t)
        {
            Vector row[Blocks];
            for (int b = 0; b < Blocks; ++b)
            {
                row[b] = _mm512_loadu_ps(m + b * group + t * lanes);
            }
#pragma GCC unroll 8
            for (int c = 0; c < together; ++c)
            {
                const auto factor = all(v[t * lanes + c]);
                for (int b = 0; b < Blocks; ++b)
                {
                    total[c][b] = fma(factor, row[b], total[c][b]);
                }
            }
        }
    }
#pragma GCC unroll 8
    for (int c = 0; c < together; ++c)
    {
#pragma GCC unroll 2
        for (int b = 0; b < Blocks; ++b)
        {
            _mm512_storeu_ps(sums + (c * Blocks + b) * lanes, total[c][b]);
        }
    }
}

void add_products_of_chunk(const Images& images, int64_t groups, const float* v, const float* m, float* sums)
{
    const int64_t in_blocks = images.in / lanes, out_blocks = images.out / lanes;
    const int64_t v_step = in_blocks * group, m_step = out_blocks * group;
    for (int64_t value = 0; value < values; ++value)
    {
        for (int64_t block = 0; block < out_blocks; block += 2)
        {
            const bool are_two = block + 1 < out_blocks;
            const float* const right = m + block * group + value * piece;
            float* const into = sums + (value * images.out + block * lanes) * images.in;
            for (int64_t c = 0; c < images.in; c += together)
            {
                const float* const left = v + c / lanes * group + value * piece + c % lanes;
                are_two ? add_products<2>(groups, left, v_step, right, m_step, into + c * 2 * lanes)
                        : add_products<1>(groups, left, v_step, right, m_step, into + c * lanes);
            }
        }
    }
}

/// Where the matrices' values of input channel c and block `block` are; those of the next point `in · out` later.
inline int64_t matrix_place(const Images& images, int64_t c, int64_t block)
{
    const int64_t first = block / 2 * 2;
    const int64_t width = least(2 * lanes, images.out - first * lanes);
    return first * lanes * images.in + c * width + (block - first) * lanes;
}

/// each(channel of x, block of y's) for a share of them.
template <class Each>
void for_each_matrix_row(const Images& images, int64_t share, int64_t shares, const Each& each)
{
    const int64_t blocks = images.out / lanes, count = images.in * blocks;
    for (int64_t i = count * share / shares; i < count * (share + 1) / shares; ++i)
    {
        each(i / blocks, i % blocks);
    }
}
}  // namespace

bool is_built()
{
    return true;
}

int64_t matrix_floats(const Images& images)
{
    return values * images.in * images.out;
}

int64_t space_floats(const Images& images, int64_t shares)
{
    return Tiles(images, shares).groups_per_chunk * group * ((images.in + images.out) / lanes);
}

void transform_weights(const Images& images, const float* weights, const Strides& strides, bool is_turned,
                       float* matrices, int64_t share, int64_t shares)
{
    // Turned by half a turn, with the channels' roles exchanged.
    const int64_t o_step = is_turned ? strides.i : strides.o, c_step = is_turned ? strides.o : strides.i;
    for_each_matrix_row(images, share, shares,
                        [&](int64_t c, int64_t block)
                        {
                            const float* const from = weights + c * c_step + block * lanes * o_step;
                            float* const to = matrices + matrix_place(images, c, block);
                            both_ways<3, side>(
                                [&](int r, int column)
                                {
                                    const int64_t ky = is_turned ? 2 - r : r, kx = is_turned ? 2 - column : column;
                                    alignas(64) float row[lanes];
                                    for (int l = 0; l < lanes; ++l)
                                    {
                                        row[l] = from[l * o_step + ky * strides.ky + kx * strides.kx];
                                    }
                                    return _mm512_load_ps(row);
                                },
                                [](const auto& w, auto& u) { transform_weight(w, u); },
                                [&](int r, int column, Vector u)
                                { _mm512_storeu_ps(to + (r * side + column) * images.in * images.out, u); });
                        });
}

void convolve(const Images& images, const float* x, const float* matrices, const float* bias, const float* addend,
              float* y, float* space, int64_t share, int64_t shares)
{
    const Tiles tiles(images, shares);
    float* const v = space;
    float* const m = space + tiles.groups_per_chunk * group * (images.in / lanes);
    for (int64_t chunk = tiles.chunks * share / shares; chunk < tiles.chunks * (share + 1) / shares; ++chunk)
    {
        transform_inputs(images, tiles, chunk, x, v);
        multiply_chunk(images, ceil_div(tiles.end(chunk) - tiles.begin(chunk), row_tiles), v, matrices, m);
        transform_outputs(images, tiles, chunk, m, bias, addend, y);
    }
}

void sum_gradients(const Images& images, const float* x, const float* grad_y, float* sums, float* bias_sums,
                   float* space, int64_t share, int64_t shares)
{
    const Tiles tiles(images, shares);
    float* const v = space;
    float* const m = space + tiles.groups_per_chunk * group * (images.in / lanes);
    for (int64_t i = 0; i < matrix_floats(images); ++i)
    {
        sums[i] = 0;
    }
    for (int64_t o = 0; o < images.out; ++o)
    {
        bias_sums[o] = 0;
    }
    for (int64_t chunk = tiles.chunks * share / shares; chunk < tiles.chunks * (share + 1) / shares; ++chunk)
    {
        transform_inputs(images, tiles, chunk, x, v);
        transform_gradients(images, tiles, chunk, grad_y, m, bias_sums);
        add_products_of_chunk(images, ceil_div(tiles.end(chunk) - tiles.begin(chunk), row_tiles), v, m, sums);
    }
}

void finish_gradients(const Images& images, const float* sums, float* grad_weights, const Strides& strides,
                      int64_t share, int64_t shares)
{
    for_each_matrix_row(images, share, shares,
                        [&](int64_t c, int64_t block)
                        {
                            const float* const from = sums + matrix_place(images, c, block);
                            float* const to = grad_weights + c * strides.i + block * lanes * strides.o;
                            both_ways<side, 3>(
                                [&](int r, int column)
                                {
                                    const float* const first = from + (r * side + column) * images.in * images.out;
                                    auto sum = _mm512_loadu_ps(first);
                                    for (int64_t s = 1; s < shares; ++s)
                                    {
                                        sum += _mm512_loadu_ps(first + s * matrix_floats(images));
                                    }
                                    return sum;
                                },
                                [](const auto& u, auto& w) { transform_weight_gradient(u, w); },
                                [&](int r, int column, Vector w)
                                {
                                    alignas(64) float row[lanes];
                                    _mm512_store_ps(row, w);
                                    for (int l = 0; l < lanes; ++l)
                                    {
                                        to[l * strides.o + r * strides.ky + column * strides.kx] = row[l];
                                    }
                                });
                        });
}
}  // namespace paws::nn::winograd
#else
namespace paws::nn::winograd
{
bool is_built()
{
    return false;
}
std::int64_t matrix_floats(const Images&)
{
    return 0;
}
std::int64_t space_floats(const Images&, std::int64_t)
{
    return 0;
}
void transform_weights(const Images&, const float*, const Strides&, bool, float*, std::int64_t, std::int64_t) {}
void convolve(const Images&, const float*, const float*, const float*, const float*, float*, float*, std::int64_t,
              std::int64_t)
{
}
void sum_gradients(const Images&, const float*, const float*, float*, float*, float*, std::int64_t, std::int64_t) {}
void finish_gradients(const Images&, const float*, float*, const Strides&, std::int64_t, std::int64_t) {}
}  // namespace paws::nn::winograd
#endif
