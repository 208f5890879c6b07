#!/usr/bin/python3
"""Compares graphs of ours with graphs of networkx for the same parameters.

    graph_stats.py FILE    lines "ws 10 4 0.3 0-1 0-2 ...": generator, n, k or m, p, edges

For every set of parameters networkx draws as many graphs.  Two samples from one distribution must agree in
  - the distribution of degrees over all nodes (two-sample chi-squared),
  - the means of clustering, shortest path length and number of edges (difference in standard errors).
The limits are a chance of about 1e-5 each; the seeds are fixed, so that the answer never changes.
Ends with 0, 1 (they differ) or 77 (networkx is not installed).
"""
import collections
import math
import sys

try:
    import networkx as nx
except ImportError:
    print("skipped: python3-networkx is not here")
    sys.exit(77)


def theirs(kind, n, k, p, seed):
    if kind == "ws":
        return nx.connected_watts_strogatz_graph(n, k, p, tries=200, seed=seed)
    if kind == "ba":
        return nx.barabasi_albert_graph(n, k, seed=seed)
    for attempt in range(200):
        graph = nx.gnp_random_graph(n, p, seed=seed * 200 + attempt)
        if nx.is_connected(graph):
            return graph
    raise SystemExit("networkx drew no connected graph")


def figures(graph):
    return (nx.average_clustering(graph), nx.average_shortest_path_length(graph),
            float(graph.number_of_edges()), float(max(dict(graph.degree).values())))


def degrees(graphs):
    """How many nodes have each degree."""
    return collections.Counter(d for graph in graphs for _, d in graph.degree)


def chi_squared(a, b):
    """Of two histograms of equal size, and the degrees of freedom; rare values are pooled."""
    chi2, cells, rest_a, rest_b = 0.0, 0, 0, 0
    for value in sorted(set(a) | set(b)):
        x, y = a[value], b[value]
        if x + y < 20:
            rest_a, rest_b = rest_a + x, rest_b + y
            continue
        chi2 += (x - y) ** 2 / (x + y)
        cells += 1
    if rest_a + rest_b >= 20:
        chi2 += (rest_a - rest_b) ** 2 / (rest_a + rest_b)
        cells += 1
    return chi2, max(cells - 1, 1)


def mean_and_error(values):
    mean = sum(values) / len(values)
    variance = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
    return mean, variance / len(values)


def compare(parameters, ours):
    kind, n, k, p = parameters
    other = [theirs(kind, n, k, p, seed) for seed in range(len(ours))]
    good = True
    chi2, freedom = chi_squared(degrees(ours), degrees(other))
    # Wilson-Hilferty: the cube root of chi2 / freedom is nearly normal.
    z = ((chi2 / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    line = f"{kind} n={n} k={k} p={p}: {len(ours)} graphs, degrees z={z:+.2f}"
    good = good and z < 4.3
    for name, a, b in zip(("clustering", "path length", "edges", "largest degree"),
                          zip(*map(figures, ours)), zip(*map(figures, other))):
        mean_a, error_a = mean_and_error(a)
        mean_b, error_b = mean_and_error(b)
        error = math.sqrt(error_a + error_b)
        agree = abs(mean_a - mean_b) <= 4.4 * error + 1e-12
        good = good and agree
        line += f", {name} {mean_a:.4f}/{mean_b:.4f}"
    print(("ok   " if good else "DIFFER ") + line)
    return good


def main():
    samples = collections.defaultdict(list)
    for line in open(sys.argv[1]):
        kind, n, k, p, *edges = line.split()
        graph = nx.Graph()
        graph.add_nodes_from(range(int(n)))
        graph.add_edges_from([int(end) for end in edge.split("-")] for edge in edges)
        samples[kind, int(n), int(k), float(p)].append(graph)
    good = [compare(parameters, graphs) for parameters, graphs in samples.items()]
    sys.exit(0 if good and all(good) else 1)


if __name__ == "__main__":
    main()
