"""Maps for paper: site maps at a round scale and sheets of plans, as SVG, PNG and PDF."""
