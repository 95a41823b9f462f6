cluster "c" {} # ERROR: Cluster without nodes
