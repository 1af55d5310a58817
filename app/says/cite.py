"""How to cite the paper and this software, as BibTeX; CITATION.cff and docs/citing.md say the same."""

PAPER = """@inproceedings{kim2022learned,
  title     = {Learned Token Pruning for Transformers},
  author    = {Kim, Sehoon and Shen, Sheng and Thorsley, David and Gholami, Amir and
               Kwon, Woosuk and Hassoun, Joseph and Keutzer, Kurt},
  booktitle = {Proceedings of the 28th ACM SIGKDD Conference on Knowledge Discovery and Data Mining},
  year      = {2022},
  pages     = {784--794},
  publisher = {Association for Computing Machinery},
  doi       = {10.1145/3534678.3539260}
}"""
SOFTWARE = """@software{ltp_lab,
  title   = {LTP Lab},
  author  = {{LTP Lab contributors}},
  year    = {2026},
  version = {0.1.0},
  license = {Apache-2.0}
}"""
